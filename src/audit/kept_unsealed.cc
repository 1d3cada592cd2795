#include "audit/kept_unsealed.h"

#include <charconv>
#include <system_error>

#include "audit/object_digest.h"

namespace pawl::audit {
namespace {

// The number in a name that kept_name() makes.
std::optional<std::uint64_t> number_in(std::string_view path) {
  if (!path.starts_with(kKeptFolder)) return std::nullopt;
  const auto digits = path.substr(kKeptFolder.size());
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec != std::errc{} || path != kept_name(number)) return std::nullopt;
  return number;
}

}  // namespace

KeptUnsealed::KeptUnsealed(ArchiveView& archive, std::uint64_t looks_max)
    : archive_(archive), looks_left_(looks_max) {}

Status KeptUnsealed::list(std::uint64_t entered,
                          const std::function<Status(const ArchiveView::Entry&)>& other) {
  std::map<std::uint64_t, std::uint64_t> behind;  // sizes, by number
  Status failure = ok();
  PAWL_TRY(archive_.list(kKeptFolder, [&](const ArchiveView::Entry& entry) {
    const auto number = number_in(entry.name);
    if (number && *number > entered) {
      behind.emplace(*number, entry.size);
      return true;
    }
    failure = other(entry);
    return failure.ok();
  }));
  for (const auto& [number, size] : behind) {
    if (number != entered + count_ + 1) break;
    ++count_;
    of_size_[size].numbers.push_back(number);
  }
  return failure;
}

Result<std::optional<std::string>> KeptUnsealed::find(std::string_view name,
                                                      const KeptContent& content) {
  const auto group = of_size_.find(content.size);
  if (group == of_size_.end()) return std::optional<std::string>();
  const auto [begin, end] = read_.equal_range({content.size, content.digest});
  for (auto at = begin; at != end; ++at) {
    Read& known = at->second;
    if (known.explains.empty()) known.explains = name;
    if (known.explains == name) return std::optional<std::string>(kept_name(known.number));
  }
  auto& [numbers, unread] = group->second;
  for (; unread < numbers.size() && looks_left_ > 0; ++unread, --looks_left_) {
    auto path = kept_name(numbers[unread]);
    PAWL_ASSIGN_OR_RETURN(const auto digest, digest_in(archive_, path, content.size));
    if (!digest) continue;
    const auto at = read_.emplace(std::pair(content.size, *digest), Read{numbers[unread], {}});
    if (*digest != content.digest) continue;
    at->second.explains = name;
    ++unread;
    --looks_left_;
    return std::optional<std::string>(std::move(path));
  }
  return std::optional<std::string>();
}

bool KeptUnsealed::has_unread(std::uint64_t size) const {
  const auto group = of_size_.find(size);
  return group != of_size_.end() && group->second.unread < group->second.numbers.size();
}

}  // namespace pawl::audit
