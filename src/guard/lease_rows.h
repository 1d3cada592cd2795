// What the lease rows say (docs/internals/guard.md, "Who does what"), as small JSON objects. Rows stand in a table that
// others can write to: whatever does not fit is kCorrupt, is skipped and told of, and nobody waits for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/instant.h"
#include "base/result.h"
#include "port/lease_store.h"

namespace pawl::guard {

// A chain of the incarnation (base/ids.h: ShardId::number). 0 is the repair chain; shards are numbered from 1 on.
using ShardNumber = std::uint32_t;

inline constexpr std::string_view kRootRowName = "root";
inline constexpr std::size_t kRowBytesMax = 4096;  // of a value (port/lease_store.h)
inline constexpr std::size_t kWorkerIdBytesMax = 64;

// "I live": its revision grows. The id is in the name.
struct WorkerRow {
  std::string id;
  bool operator==(const WorkerRow&) const = default;
};
// Who may write the root chain and the tip, and discovers shards.
struct RootRow {
  std::string owner;  // "" = nobody
  bool operator==(const RootRow&) const = default;
};
struct ShardRow {
  ShardNumber number = 0;  // from the name; not 0
  std::string owner;       // "" = nobody
  bool waits = false;      // what comes before it is not closed yet: nobody may read it
  bool finished = false;   // read to its end, and everything is in pages
  // So that who takes it need not read the root chain: its stream's ARN, the service's own id of it, and when it may have
  // begun at the earliest (ShardSource).
  std::string stream = {};
  std::string shard = {};
  Instant born_after = {};
  bool gap = false;  // of a finished one: changes are missing after its last
  bool operator==(const ShardRow&) const = default;
};
using ParsedRow = std::variant<WorkerRow, RootRow, ShardRow>;

// 1 to kWorkerIdBytesMax letters, digits or '-'.
bool is_worker_id(std::string_view id);

std::string worker_row_name(std::string_view id);  // "worker/<id>"
std::string shard_row_name(ShardNumber number);    // "shard/<decimal>"

// The number in the name of a shard's row; nothing if it is another name.
std::optional<ShardNumber> parse_shard_row_name(std::string_view name);

std::string encode_row(const WorkerRow& row);
std::string encode_row(const RootRow& row);
std::string encode_row(const ShardRow& row);

// Errors: kCorrupt (a name of no row of ours; a value that is not what encode_row() writes for it). A worker's row is
// judged by its name alone: that it lives is said by the revision.
Result<ParsedRow> parse_row(const LeaseRow& row);

}  // namespace pawl::guard
