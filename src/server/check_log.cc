#include "server/check_log.h"

#include <fmt/format.h>

#include <utility>

#include "item/dynamodb_json.h"

namespace pawl::server {
namespace {

constexpr std::size_t kKeyShown = 200;

std::string sentence(const guard::RenderedChange& change) {
  const auto& entry = change.entry;
  std::string key;
  item::append_item_json(key, entry.key);
  if (key.size() > kKeyShown) key = key.substr(0, kKeyShown) + " …";
  const auto version = entry.version ? fmt::format(", version {}", entry.version->value) : "";
  const auto what = fmt::format("{} of {}{} at {}", item::name_of(entry.kind), key, version,
                                entry.instant.to_string());
  if (entry.repaired) return fmt::format("MISSING and put in as {}: {}", entry.object, what);
  return fmt::format("MISSING {}: {}", entry.object, what);
}

}  // namespace

void CheckLog::take(const guard::RenderedChange& change) {
  const std::lock_guard lock(mutex_);
  counts_.count(change);
  if (change.entry.foreign) return;
  if (missing_.first.size() < kToldMax) {
    missing_.first.push_back(sentence(change));
  } else {
    ++missing_.more;
  }
}

guard::CheckCounts CheckLog::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

CheckLog::Missing CheckLog::take_missing() {
  const std::lock_guard lock(mutex_);
  return std::exchange(missing_, {});
}

}  // namespace pawl::server
