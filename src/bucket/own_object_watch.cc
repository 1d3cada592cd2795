#include "bucket/own_object_watch.h"

#include <memory>
#include <utility>

namespace pawl::bucket {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

// Of instants from 1970 on.
Instant whole_seconds(Instant instant) {
  return {instant.microseconds - instant.microseconds % kSecond};
}

struct Ask {
  std::string name;
  Instant not_before;
};

ObjectSeen unclear(const std::string& name, const Error& error) {
  ObjectSeen seen;
  seen.why = "looking for " + name + ": " + error.to_string();
  return seen;
}

ObjectSeen look_at(BucketStore& store, Clock& clock, const std::string& bucket, const Ask& ask) {
  ObjectSeen seen;
  seen.seen_at =
      whole_seconds(clock.now());  // before the look: what it does not find was not there then
  const auto guard = store.guard();
  const auto whole = store.object_with_body(bucket, ask.name);
  if (!whole.ok()) return unclear(ask.name, whole.error());
  if (!*whole) {
    seen.kind = ObjectSeen::Kind::kAbsent;
    return seen;
  }
  const ObjectRecord& record = (*whole)->record;
  seen.written_at = whole_seconds(record.modified);
  const bool is_old = record.bytes > OwnObjectWatch::kWholeMax && seen.written_at < ask.not_before;
  if (!is_old && record.bytes > OwnObjectWatch::kReadMax) {
    seen.kind = ObjectSeen::Kind::kUnwieldy;
    return seen;
  }
  seen.kind = ObjectSeen::Kind::kThere;
  seen.size = record.bytes;
  if (is_old) return seen;
  guard->narrow(files_of((*whole)->pieces));
  const auto digest = digest_of(store, (*whole)->pieces);
  if (!digest.ok()) return unclear(ask.name, digest.error());
  seen.digest = *digest;
  return seen;
}

}  // namespace

Awaitable<std::vector<ObjectSeen>> OwnObjectWatch::look(std::span<const ObjectAsk> asks) {
  auto owned = std::make_shared<std::vector<Ask>>();
  for (const ObjectAsk& ask : asks) owned->push_back({std::string(ask.name), ask.not_before});
  std::function<Result<std::vector<ObjectSeen>>()> work =
      [owned, bucket = bucket_, &store = ports_.store, &clock = ports_.clock] {
        std::vector<ObjectSeen> found;
        for (const Ask& ask : *owned) found.push_back(look_at(store, clock, bucket, ask));
        return found;
      };
  auto seen = co_await run_elsewhere<std::vector<ObjectSeen>>(ports_, std::move(work));
  if (seen.ok()) co_return std::move(seen).value();
  std::vector<ObjectSeen> nothing;
  for (const Ask& ask : *owned) nothing.push_back(unclear(ask.name, seen.error()));
  co_return nothing;
}

}  // namespace pawl::bucket
