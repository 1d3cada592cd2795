#include "audit/table_images.h"

#include <algorithm>

#include "base/json_writer.h"

namespace pawl::audit {
namespace {

constexpr std::size_t kKeysAtOnce = 100;  // what one call may ask for
// Their bytes are kept until they are asked for. More items than that are as well read by a scan.
constexpr std::size_t kKeysMax = 100'000;
constexpr std::size_t kEmptyPagesMax = 10'000;  // on end

// The key of the item with that name; nothing where the name doesn't tell.
std::optional<std::string> key_of(const NamePattern& pattern, const SourceTableFacts& facts,
                                  ItemName item) {
  const auto values = pattern.key_of(item);
  if (!values) return std::nullopt;
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  const auto add = [&](const SourceKey& key) {
    const auto found = std::find_if(values->begin(), values->end(),
                                    [&key](const auto& value) { return value.first == key.name; });
    if (found == values->end() || (key.type != 'S' && key.type != 'N')) return false;
    writer.key(key.name).begin_object();
    writer.field(std::string_view(&key.type, 1), found->second).end_object();
    return true;
  };
  if (!add(facts.partition) || (facts.sort && !add(*facts.sort))) return std::nullopt;
  writer.end_object();
  return json;
}

}  // namespace

Status TableImages::plan() {
  return recovery_.only_in_table([this](ItemName item) {
    if (needs_scan_) return ok();
    auto key = key_of(pattern_, facts_, item);
    if (key && keys_.size() < kKeysMax) {
      keys_.push_back(*std::move(key));
    } else {
      needs_scan_ = true;
      keys_.clear();
    }
    return ok();
  });
}

Status TableImages::see(const std::string& image) {
  progress_(++seen_);
  return recovery_.see_table(image);
}

Awaitable<Status> TableImages::get() {
  for (std::size_t at = 0; at < keys_.size(); at += kKeysAtOnce) {
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = std::min(kKeysAtOnce, keys_.size() - at);
    std::vector<std::string> some(begin, begin + static_cast<std::ptrdiff_t>(count));
    auto answers = co_await table_.get_many(std::move(some));
    if (!answers.ok()) co_return std::move(answers).error();
    for (const auto& image : *answers) {
      // One that isn't there any more was deleted meanwhile.
      if (!image) continue;
      auto seen = see(*image);
      if (!seen.ok()) co_return seen;
    }
  }
  co_return ok();
}

Awaitable<Status> TableImages::segment(std::uint32_t segment, std::uint32_t segments) {
  std::string after;
  std::size_t empty_pages = 0;
  do {
    std::vector<std::string> all_attributes;
    auto page = co_await table_.scan(segment, segments, after, std::move(all_attributes));
    if (!page.ok()) co_return std::move(page).error();
    empty_pages = page->items.empty() ? empty_pages + 1 : 0;
    if (empty_pages > kEmptyPagesMax) {
      co_return Error{
          ErrorCode::kUnavailable, "the table's scan brings empty pages and no end", {}};
    }
    for (const auto& image : page->items) {
      auto seen = see(image);
      if (!seen.ok()) co_return seen;
    }
    after = std::move(page->next);
  } while (!after.empty());
  co_return ok();
}

}  // namespace pawl::audit
