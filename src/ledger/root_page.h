// Pages of the root chain: one event each. The format: ledger/page_format.h and docs/internals/archive-format.md,
// "Root pages" and "Guarded tables".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "base/ids.h"
#include "base/instant.h"
#include "base/result.h"
#include "ledger/chain_head.h"
#include "port/signer.h"

namespace pawl::ledger {

// Where an adopted table leaves the chain of its parent: changes after `sequence` there are in the archive, but
// not of the table's present.
struct Fork {
  ShardId shard;
  SequenceNumber sequence;        // 0: before the first change
  std::optional<PageIndex> page;  // the page that holds `sequence`; nothing for 0
  Digest digest;                  // of that page
  bool operator==(const Fork&) const = default;
};
struct Parent {
  Incarnation incarnation;
  std::vector<Fork> forks;
  bool operator==(const Parent&) const = default;
};

struct ArchiveCreated {
  std::optional<PublicKey> public_key;  // nothing: an unsigned archive
  bool operator==(const ArchiveCreated&) const = default;
};
struct ServerStarted {
  std::string data;  // the data directory's id, 16 hex digits
  std::string software;
  std::optional<PublicKey> public_key;  // if this server signs with another key than the one before
  bool operator==(const ServerStarted&) const = default;
};
struct ServerStopped {
  std::string data;
  bool operator==(const ServerStopped&) const = default;
};
struct TableCreated {
  Incarnation incarnation;
  std::string table;
  std::string definition;  // one JSON object
  std::vector<ShardId> shards;
  std::optional<Parent> parent;
  bool operator==(const TableCreated&) const = default;
};
struct ClosedShard {
  ShardId shard;
  SequenceNumber last;      // 0: it never had a change
  std::uint64_t pages = 0;  // 0: likewise
  std::optional<Digest> digest;
  bool operator==(const ClosedShard&) const = default;
};
struct TableDeleted {
  Incarnation incarnation;
  std::vector<ClosedShard> shards;
  bool abandoned = false;  // closed by `pawl adopt`: the data directory did not know it any more
  bool operator==(const TableDeleted&) const = default;
};
// A table that somebody else keeps: instead of TableCreated. See docs/internals/archive-format.md, "Guarded tables".
struct TableGuarded {
  Incarnation incarnation;
  std::string table;
  std::string arn;
  std::string definition;  // one JSON object
  bool operator==(const TableGuarded&) const = default;
};
// A shard of its stream was found: its chain may exist from here on.
struct ShardOpened {
  Incarnation incarnation;  // that of `shard` and `parent`
  ShardId shard;
  std::string stream;  // the stream's ARN: another one after it was disabled and enabled again
  std::string source;  // the shard's own id
  std::optional<ShardId> parent;  // where it is known
  bool gap = false;               // changes may be missing before its first one
  bool operator==(const ShardOpened&) const = default;
};
// The shard was read to its end, and all that could be read of it is in pages.
struct ShardClosed {
  Incarnation incarnation;  // that of closed.shard
  ClosedShard closed;
  bool gap = false;  // changes are missing after its last one
  bool operator==(const ShardClosed&) const = default;
};
struct CounterReset {
  Incarnation incarnation;
  ShardId shard;
  SequenceNumber sequence;
  std::string object;   // the name that was taken
  std::string renamed;  // the name that was used instead
  bool operator==(const CounterReset&) const = default;
};
struct Checkpoint {
  std::map<ShardId, ChainHead> chains;
  bool operator==(const Checkpoint&) const = default;
};

using RootEvent =
    std::variant<ArchiveCreated, ServerStarted, ServerStopped, TableCreated, TableDeleted,
                 CounterReset, Checkpoint, TableGuarded, ShardOpened, ShardClosed>;

struct RootPage {
  std::string archive;
  PageIndex page;
  Digest previous;
  Instant instant;
  RootEvent event;
  bool operator==(const RootPage&) const = default;
};

std::string encode_root_page(const RootPage& page);
// Whether a checkpoint's chains are read. A root chain is almost all checkpoints, and a start that reads it needs none.
enum class Heads : std::uint8_t { kRead, kSkip };
// Errors: kCorrupt.
Result<RootPage> parse_root_page(std::string_view json, Heads heads = Heads::kRead);

}  // namespace pawl::ledger
