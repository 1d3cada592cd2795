// Where ledger chains are kept: files beside the objects, or objects of a bucket. A chain is a sequence of
// pages; a page is one line of bytes (see docs/internals/archive-format.md). The store knows nothing of
// what a page says: only that it ends with '\n', which appears nowhere else in it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "port/clock.h"

namespace pawl {

struct PageAppend {
  std::string_view chain;  // "root" or a shard id
  std::string_view line;   // with its '\n'
};

// How a chain ends.
struct ChainEnd {
  std::optional<std::string>
      last_line;                 // the newest complete page, with '\n'; nothing if it has none
  std::uint64_t torn_bytes = 0;  // bytes after it that are no complete page (a crash in an append)
  std::uint64_t volume_bytes = 0;  // size of the volume that the next page goes to
};

// What chains(), end_of() and read() tell is durable: an implementation that finds pages of an earlier process syncs
// them before it tells of them, because the change log forgets what it is told is in the ledger.
//
// One writer, held by a lock or a fence of the implementation: open() of the store fails with kConflict if
// another process writes here. One coroutine at a time.
class LedgerStore {
 public:
  virtual ~LedgerStore() = default;

  // The chains that exist, in byte order.
  virtual Awaitable<Result<std::vector<std::string>>> chains() = 0;
  virtual Awaitable<Result<ChainEnd>> end_of(std::string_view chain) = 0;
  // Calls `visit` with each complete page line from the chain's start, in order, until it returns false.
  virtual Awaitable<Status> read(std::string_view chain,
                                 std::function<bool(std::string_view line)> visit) = 0;

  // Appends pages in order; not durable before sync().
  // After an error nothing is known about the pages since the last good sync: reopen().
  virtual Awaitable<Status> append(std::span<const PageAppend> pages) = 0;
  // The chain's next page goes to a new volume; as durable as that page.
  virtual Awaitable<Status> start_volume(std::string_view chain) = 0;
  // All appended pages are durable when it returns ok. Never repeat a failed sync: reopen(). kConflict: another
  // process writes here, and this one must stop.
  virtual Awaitable<Status> sync() = 0;
  // After a failed append(), start_volume() or sync(): every chain ends again where the last good sync() (or
  // the open of the store) left it. What was written after that is cut off and files are opened anew, so that
  // the same pages can be written once more and their sync means something. May be repeated until it succeeds.
  // The very same pages: what was given to a failed sync is the next that its chain gets, unchanged. A put to a bucket
  // whose answer was lost can't be cut off and may arrive at any time; then these pages are it.
  virtual Awaitable<Status> reopen() = 0;
  // Cuts the torn bytes off a chain's end; the caller has made sure that their changes are still held.
  virtual Awaitable<Status> cut(std::string_view chain) = 0;

  // Whether each sync ends the volume: the page after it starts one (and so is signed), without start_volume().
  virtual bool seals_at_sync() const { return false; }

  // Replaces the tip, whole and durably. kConflict: as sync().
  virtual Awaitable<Status> put_tip(std::string_view line) = 0;
  virtual Awaitable<Result<std::optional<std::string>>> tip() = 0;
};

}  // namespace pawl
