#include "audit/table_search.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/table_item.h"

namespace pawl::audit {
namespace {

constexpr std::size_t kEmptyScanPagesMax = 10'000;  // on end: a page may be empty
// A closed shard has an end; this many pages without a record before it are no shard.
constexpr std::size_t kEmptyShardPagesMax = 100'000;
constexpr Duration kBackoffMax = std::chrono::seconds(5);

Error to_error(const StreamError& error) {
  const bool person = error.kind == StreamErrorKind::kDenied ||
                      error.kind == StreamErrorKind::kInvalid ||
                      error.kind == StreamErrorKind::kNotFound;
  return {person ? ErrorCode::kInvalid : ErrorCode::kUnavailable, error.message, error.hint};
}

bool is_passing(StreamErrorKind kind) {
  return kind == StreamErrorKind::kThrottled || kind == StreamErrorKind::kUnavailable;
}

}  // namespace

Awaitable<Status> TableScan::segment(std::uint32_t segment, std::uint32_t segments) {
  std::string after;
  std::size_t empty_pages = 0;
  do {
    auto page = co_await table_.scan(segment, segments, after, pattern_.attributes());
    if (!page.ok()) co_return std::move(page).error();
    empty_pages = page->items.empty() ? empty_pages + 1 : 0;
    if (empty_pages > kEmptyScanPagesMax) {
      co_return Error{
          ErrorCode::kUnavailable, "the table's scan brings empty pages and no end", {}};
    }
    for (const auto& json : page->items) {
      ++items_;
      const auto item = read_table_item(pattern_, json);
      if (!item) {
        ++unnamed_;
        continue;
      }
      auto told = list_.table_item({item->head, item->tail}, item->version);
      if (!told.ok()) co_return told;
    }
    progress_(items_);
    after = std::move(page->next);
  } while (!after.empty());
  co_return ok();
}

Awaitable<void> StreamSearch::pause(Duration time) {
  const auto alarm = clock_.make_alarm();
  co_await alarm->wait_until(clock_.monotonic() + time);
}

Awaitable<Status> StreamSearch::find_shards(std::string arn) {
  arn_ = std::move(arn);
  started_ = clock_.now();
  std::string after;
  std::size_t attempts = 0;
  for (Duration wait = options_.backoff_first;;) {
    auto page = co_await stream_.shards(arn_, after);
    if (!page.ok()) {
      if (!is_passing(page.error().kind) || ++attempts == options_.attempts_max)
        co_return to_error(page.error());
      co_await pause(wait);
      wait = std::min(wait * 2, kBackoffMax);
      continue;
    }
    attempts = 0;
    for (auto& shard : page->shards) shards_.push_back(std::move(shard));
    if (shards_.size() > options_.shards_max || page->last_shard == after) {
      if (page->last_shard.empty()) break;
      co_return Error{ErrorCode::kUnavailable,
                      fmt::format("the stream {} lists shards without an end", arn_),
                      {}};
    }
    if (page->last_shard.empty()) break;
    after = page->last_shard;
  }
  summary_.shards = shards_.size();
  co_return ok();
}

Awaitable<Status> StreamSearch::work() {
  while (next_ < shards_.size()) {
    auto shard = std::move(shards_[next_++]);
    auto done = co_await read(std::move(shard));
    if (!done.ok()) {
      next_ = shards_.size();
      co_return done;
    }
  }
  co_return ok();
}

void StreamSearch::give_up(const StreamError& error) {
  // A shard that the listing still names and that is gone has no records left.
  if (error.kind == StreamErrorKind::kNotFound) return;
  if (summary_.shards_unread++ == 0) summary_.why_unread = error.message;
}

Awaitable<StreamResult<std::string>> StreamSearch::iterator(std::string shard,
                                                            StreamPosition position) {
  Duration wait = options_.backoff_first;
  for (std::size_t attempt = 1;; ++attempt) {
    auto iterator = co_await stream_.iterator(arn_, shard, position);
    if (iterator.ok()) co_return iterator;
    // What comes next has been trimmed meanwhile: on from the oldest that is left.
    if (iterator.error().kind == StreamErrorKind::kTrimmed) position = {};
    const bool again =
        iterator.error().kind == StreamErrorKind::kTrimmed || is_passing(iterator.error().kind);
    if (!again || attempt == options_.attempts_max) co_return iterator;
    co_await pause(wait);
    wait = std::min(wait * 2, kBackoffMax);
  }
}

Awaitable<Status> StreamSearch::read(StreamShard shard) {
  StreamPosition position = start_ ? start_(shard.id) : StreamPosition{};
  std::string next;
  std::size_t empty_pages = 0;
  std::size_t failures = 0;  // on end
  for (;;) {
    if (next.empty()) {
      auto iterator = co_await this->iterator(shard.id, position);
      if (!iterator.ok()) {
        give_up(iterator.error());
        co_return ok();
      }
      next = *std::move(iterator);
    }
    auto page = co_await stream_.records(next, kStreamRecordsMax);
    if (!page.ok()) {
      const auto kind = page.error().kind;
      const bool lost =
          kind == StreamErrorKind::kExpiredIterator || kind == StreamErrorKind::kTrimmed;
      if ((!lost && !is_passing(kind)) || ++failures >= options_.attempts_max) {
        give_up(page.error());
        co_return ok();
      }
      if (lost) next.clear();
      co_await pause(std::min(options_.backoff_first * (1 << failures), kBackoffMax));
      continue;
    }
    failures = 0;
    bool up_to_now = false;
    for (const auto& record : page->records) {
      ++summary_.records;
      if (!summary_.oldest || record.created < *summary_.oldest) summary_.oldest = record.created;
      up_to_now = up_to_now || record.created > started_;
      auto seen = see_(shard.id, record);
      if (!seen.ok()) co_return seen;
    }
    if (!page->records.empty())
      position = {StreamPosition::At::kAfter, page->records.back().sequence};
    empty_pages = page->records.empty() ? empty_pages + 1 : 0;
    progress_(summary_.records);
    next = std::move(page->next_iterator);
    const bool at_end = next.empty() || empty_pages > kEmptyShardPagesMax ||
                        (shard.open() && (up_to_now || empty_pages >= options_.empty_pages_max));
    if (at_end) co_return ok();
    if (page->records.empty() && shard.open()) co_await pause(options_.empty_pause);
  }
}

}  // namespace pawl::audit
