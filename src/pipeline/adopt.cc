#include "pipeline/adopt.h"

#include "archive/object_body.h"
#include "ledger/line.h"
#include "ledger/shard_page.h"

namespace pawl::pipeline {
namespace {

constexpr std::size_t kRecordsARead = 1024;
constexpr std::size_t kBytesARead = std::size_t{4} << 20;

// The oldest change that the log holds, as a position to read after.
Awaitable<Result<SequenceNumber>> floor_of(ChangeSource& changes, ShardId shard,
                                           SequenceNumber chain_last) {
  // Reading past what was trimmed is an error, so the floor is searched for; it is at most the chain's end where
  // nothing is wrong, because nothing is trimmed before it is paged.
  std::uint64_t low = 0, high = chain_last.value;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto records = co_await changes.read(shard, {middle}, 1, 1);
    if (!records.ok() && records.error().code != ErrorCode::kCorrupt) co_return records.error();
    if (records.ok()) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  co_return SequenceNumber{low};
}

// What a chain says of its changes.
struct ChainEntries {
  struct Entry {
    Digest body;
    std::size_t page;  // in `pages`
  };
  struct Page {
    PageIndex index;
    Digest digest;
  };
  std::vector<Page> pages;
  std::vector<Entry> entries;  // of the changes 1, 2, …: 40 bytes each
};

Awaitable<Result<ChainEntries>> read_entries(LedgerStore& store, ShardId shard) {
  ChainEntries found;
  Status failure = ok();
  const auto visit = [&](std::string_view text) {
    const auto line = ledger::parse_line(text);
    if (!line.ok()) {
      failure = line.error();
      return false;
    }
    const auto page = ledger::parse_page(line->json);
    if (!page.ok()) {
      failure = page.error();
      return false;
    }
    if (page->first().value != found.entries.size() + 1) {
      failure =
          Error{ErrorCode::kCorrupt, "the pages of chain " + shard.to_string() + " leave a hole",
                "run `pawl verify` on the archive"};
      return false;
    }
    found.pages.push_back({page->page, line->digest});
    for (const auto& entry : page->entries)
      found.entries.push_back({entry.sha256, found.pages.size() - 1});
    return true;
  };
  const auto status = co_await store.read(shard.to_string(), visit);
  if (!status.ok()) co_return status.error();
  if (!failure.ok()) co_return failure.error();
  co_return found;
}

// The last change that log and chain tell in the same way; they do so up to `after`.
Awaitable<Result<SequenceNumber>> last_equal(ChangeSource& changes, std::string table,
                                             ShardId shard, SequenceNumber after,
                                             const ChainEntries& chain) {
  while (after.value < chain.entries.size()) {
    const auto records = co_await changes.read(shard, after, kRecordsARead, kBytesARead);
    if (!records.ok()) {
      if (records.error().code == ErrorCode::kCorrupt)
        break;  // the log begins after the chain's end
      co_return records.error();
    }
    if (records->empty()) break;
    for (const auto& record : *records) {
      if (after.value == chain.entries.size()) break;
      const auto change = item::decode_change(shard, record.sequence, record.encoded);
      if (!change.ok()) co_return change.error();
      if (sha256(archive::render_body(table, *change)) != chain.entries[after.value].body)
        co_return after;
      after = after.next();
    }
  }
  co_return after;
}

}  // namespace

Awaitable<Result<ledger::Fork>> find_fork(ChangeSource& changes, LedgerStore& store,
                                          std::string table, ShardId shard) {
  ledger::Fork fork{shard, {}, {}, {}};
  const auto chain = co_await read_entries(store, shard);
  if (!chain.ok()) co_return chain.error();
  const auto floor = co_await floor_of(changes, shard, {chain->entries.size()});
  if (!floor.ok()) co_return floor.error();
  const auto equal = co_await last_equal(changes, std::move(table), shard, *floor, *chain);
  if (!equal.ok()) co_return equal.error();
  fork.sequence = *equal;
  if (fork.sequence.value > 0) {
    const auto& page = chain->pages[chain->entries[fork.sequence.value - 1].page];
    fork.page = page.index;
    fork.digest = page.digest;
  }
  co_return fork;
}

Awaitable<Result<ledger::Parent>> find_forks(ChangeSource& changes, LedgerStore& store,
                                             const RecordedTable& table) {
  ledger::Parent parent{table.incarnation, {}};
  for (const auto shard : table.shards) {
    auto fork = co_await find_fork(changes, store, table.definition.name, shard);
    if (!fork.ok()) co_return fork.error();
    parent.forks.push_back(*fork);
  }
  co_return parent;
}

}  // namespace pawl::pipeline
