#include "stream/change_log.h"

#include <algorithm>

#include "base/assert.h"
#include "item/change.h"
#include "stream/age_search.h"
#include "stream/change_key.h"

namespace pawl::stream {
namespace {

Error hole(ShardId shard, SequenceNumber expected, std::string_view found) {
  return {ErrorCode::kCorrupt,
          "reading the change log: shard " + shard.to_string() + " lacks change " +
              std::to_string(expected.value) + " (" + std::string(found) + ")",
          "the data directory is damaged: run `pawl verify` on the archive, then `pawl restore`"};
}

Error not_open(ShardId shard) {
  return {ErrorCode::kNotFound,
          "reading the change log: there is no open shard " + shard.to_string(), ""};
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
  std::vector<ChangeRecord> records;
  std::size_t bytes = 0;
  PAWL_TRY(visit(shard, after, count_max, [&](SequenceNumber sequence, std::string_view encoded) {
    if (!records.empty() && bytes + encoded.size() > bytes_max) return false;
    bytes += encoded.size();
    records.push_back({shard, sequence, std::string(encoded)});
    return true;
  }));
  return records;
}

Status ChangeLog::visit(ShardId shard, SequenceNumber after, std::size_t count_max,
                        const Visit& visit) const {
  const std::optional<ShardPosition> before = position(shard);
  if (!before) return not_open(shard);
  const auto trimmed = [&](SequenceNumber floor) {
    return Error{ErrorCode::kCorrupt,
                 "reading the change log: the changes of shard " + shard.to_string() + " after " +
                     std::to_string(after.value) + " were trimmed through " +
                     std::to_string(floor.value),
                 "start at the floor, or read the archive"};
  };
  if (after < before->floor) return trimmed(before->floor);
  if (after >= before->newest || count_max == 0) return ok();
  const std::size_t expected =
      std::min<std::uint64_t>(count_max, before->newest.value - after.value);
  const std::unique_ptr<Cursor> cursor = store_.cursor(KeySpace::kChanges);
  cursor->seek(change_key(shard, after.next()));
  SequenceNumber next = after.next();
  for (std::size_t visited = 0; visited < expected; ++visited, next = next.next()) {
    // Never past the end: what follows may be another shard's trimmed start, which a cursor walks through.
    if (visited > 0) cursor->next();
    if (!cursor->valid() || cursor->key() != change_key(shard, next)) {
      PAWL_TRY(cursor->status());
      // A trim may have overtaken this read; otherwise records are missing.
      const std::optional<ShardPosition> now = position(shard);
      if (!now || now->floor > after) return trimmed(now ? now->floor : before->newest);
      return hole(shard, next, cursor->valid() ? "another key follows" : "the log ends there");
    }
    if (!visit(next, cursor->value())) break;
  }
  return ok();
}

Result<SequenceNumber> ChangeLog::last_before(ShardId shard, SequenceNumber known,
                                              Instant cutoff) const {
  const std::optional<ShardPosition> at = position(shard);
  if (!at) return not_open(shard);
  AgeSearch search(std::max(known, at->floor), at->newest, cutoff);
  while (const auto next = search.next()) {
    PAWL_ASSIGN_OR_RETURN(const auto encoded,
                          store_.get(KeySpace::kChanges, change_key(shard, *next)));
    if (!encoded) return hole(shard, *next, "its record is not there");
    Reader reader(*encoded);
    PAWL_ASSIGN_OR_RETURN(const item::ChangeHead head, item::read_change_head(reader));
    search.tell(head.instant);
  }
  return search.old();
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
