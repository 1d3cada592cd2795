#include "stream/change_log.h"

#include <algorithm>

#include "base/assert.h"
#include "stream/change_key.h"

namespace pawl::stream {
namespace {

Error hole(ShardId shard, SequenceNumber expected, std::string_view found) {
  return {ErrorCode::kCorrupt,
          "reading the change log: shard " + shard.to_string() + " lacks change " +
              std::to_string(expected.value) + " (" + std::string(found) + ")",
          "the data directory is damaged: run `pawl verify` on the archive, then `pawl restore`"};
}

}  // namespace

Awaitable<Result<std::vector<ChangeRecord>>> ChangeLog::read(ShardId shard, SequenceNumber after,
                                                             std::size_t count_max,
                                                             std::size_t bytes_max) {
  co_return read_now(shard, after, count_max, bytes_max);
}

Result<std::vector<ChangeRecord>> ChangeLog::read_now(ShardId shard, SequenceNumber after,
                                                      std::size_t count_max,
                                                      std::size_t bytes_max) const {
  const std::optional<ShardPosition> before = position(shard);
  if (!before) {
    return Error{ErrorCode::kNotFound,
                 "reading the change log: there is no open shard " + shard.to_string(), ""};
  }
  const auto trimmed = [&](SequenceNumber floor) {
    return Error{ErrorCode::kCorrupt,
                 "reading the change log: the changes of shard " + shard.to_string() + " after " +
                     std::to_string(after.value) + " were trimmed through " +
                     std::to_string(floor.value),
                 "start at the floor, or read the archive"};
  };
  if (after < before->floor) return trimmed(before->floor);

  std::vector<ChangeRecord> records;
  if (after >= before->newest || count_max == 0) return records;
  const std::size_t expected =
      std::min<std::uint64_t>(count_max, before->newest.value - after.value);
  records.reserve(std::min<std::size_t>(expected, 1024));
  const std::unique_ptr<Cursor> cursor = store_.cursor(KeySpace::kChanges);
  cursor->seek(change_key(shard, after.next()));
  std::size_t bytes = 0;
  for (SequenceNumber next = after.next(); records.size() < expected; next = next.next()) {
    if (!cursor->valid() || cursor->key() != change_key(shard, next)) {
      PAWL_TRY(cursor->status());
      // A trim may have overtaken this read; otherwise records are missing.
      const std::optional<ShardPosition> now = position(shard);
      if (!now || now->floor > after) return trimmed(now ? now->floor : before->newest);
      return hole(shard, next, cursor->valid() ? "another key follows" : "the log ends there");
    }
    if (!records.empty() && bytes + cursor->value().size() > bytes_max) break;
    bytes += cursor->value().size();
    records.push_back({shard, next, std::string(cursor->value())});
    // Never past the end: what follows may be another shard's trimmed start, which a cursor walks through.
    if (records.size() < expected) cursor->next();
  }
  return records;
}

void ChangeLog::release(ShardId shard, SequenceNumber through) {
  const std::lock_guard lock(mutex_);
  const auto found = shards_.find(shard);
  if (found == shards_.end() || through <= found->second.released) return;
  // What is not committed can't be in a page: a release past the end would be a caller's defect,
  // and believing it would trim changes that come later.
  PAWL_ASSERT(through <= found->second.newest);
  found->second.released = through;
  releases_[shard] = through;
}

std::optional<ShardPosition> ChangeLog::position(ShardId shard) const {
  const std::lock_guard lock(mutex_);
  const auto found = shards_.find(shard);
  if (found == shards_.end()) return std::nullopt;
  return found->second;
}

std::vector<ShardId> ChangeLog::shards() const {
  const std::lock_guard lock(mutex_);
  std::vector<ShardId> ids;
  ids.reserve(shards_.size());
  for (const auto& [id, position] : shards_) ids.push_back(id);
  return ids;
}

Result<std::optional<ChangeRecord>> ChangeLog::open(ShardId shard, SequenceNumber floor) {
  const std::unique_ptr<Cursor> cursor = store_.cursor(KeySpace::kChanges);
  cursor->seek_for_prev(change_key(shard, {UINT64_MAX}));
  PAWL_TRY(cursor->status());
  std::optional<ChangeRecord> last;
  if (cursor->valid()) {
    PAWL_ASSIGN_OR_RETURN(const auto id, parse_change_key(cursor->key()));
    if (id.first == shard) last = ChangeRecord{shard, id.second, std::string(cursor->value())};
  }
  const SequenceNumber newest = last ? last->sequence : SequenceNumber{};
  if (floor.value > 0 && newest <= floor) {
    return hole(shard, floor.next(), "the floor is above the log's end");
  }
  const std::lock_guard lock(mutex_);
  shards_[shard] = {.floor = floor, .newest = newest, .released = floor};
  return last;
}

void ChangeLog::add(ShardId shard) {
  const std::lock_guard lock(mutex_);
  PAWL_ASSERT(shards_.emplace(shard, ShardPosition{}).second);
}

void ChangeLog::forget(ShardId shard) {
  const std::lock_guard lock(mutex_);
  shards_.erase(shard);
  releases_.erase(shard);
  removed_.erase(shard);
}

void ChangeLog::publish(ShardId shard, SequenceNumber newest) {
  const std::lock_guard lock(mutex_);
  const auto found = shards_.find(shard);
  PAWL_ASSERT(found != shards_.end() && found->second.newest <= newest);
  found->second.newest = newest;
}

std::vector<std::pair<ShardId, SequenceNumber>> ChangeLog::take_releases() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<ShardId, SequenceNumber>> taken(releases_.begin(), releases_.end());
  releases_.clear();
  return taken;
}

bool ChangeLog::has_releases() const {
  const std::lock_guard lock(mutex_);
  return !releases_.empty();
}

Status ChangeLog::trim(ShardId shard, SequenceNumber floor) {
  SequenceNumber removed;  // 0 at first: a process that ended may have left some below its floor
  {
    const std::lock_guard lock(mutex_);
    const auto found = shards_.find(shard);
    PAWL_ASSERT(found != shards_.end() && floor < found->second.newest);
    found->second.floor = std::max(found->second.floor, floor);
    removed = removed_[shard];
  }
  PAWL_TRY(store_.remove_range(KeySpace::kChanges, change_key(shard, removed.next()),
                               change_key(shard, floor.next())));
  const std::lock_guard lock(mutex_);
  removed_[shard] = std::max(removed_[shard], floor);
  return ok();
}

Status ChangeLog::remove_all(Incarnation incarnation) {
  const ShardId first{.incarnation = incarnation, .number = 0};
  const ShardId last{.incarnation = incarnation, .number = UINT16_MAX};
  return store_.remove_range(KeySpace::kChanges, change_key(first, {0}),
                             change_key(last, {UINT64_MAX}));
}

}  // namespace pawl::stream
