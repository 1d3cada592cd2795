// What the root chain and the tip say must be there: tables, their shards, and how far each chain
// reaches.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/report.h"
#include "base/digest.h"
#include "base/ids.h"
#include "base/instant.h"
#include "port/archive_view.h"
#include "port/signature_check.h"

namespace pawl::audit {

// "This chain has this page, with this digest": said by the tip, a checkpoint, a deletion, a
// closing or a fork.
struct Claim {
  std::uint64_t page = 0;
  Digest digest;
  std::string source;  // "the tip", "the checkpoint in root page 17", …
};

// One life of a table.
struct IncarnationFacts {
  std::string table;
  std::string partition_key;
  std::string sort_key;  // empty where there is none
  std::vector<std::string> shards;
  bool guarded = false;  // somebody else keeps it: its chains are those of its stream's shards
  std::string version_attribute;  // of a guarded one; empty where there is none
  bool checked = false;  // a guarded one whose objects somebody else writes, and Pawl checks
  std::optional<Incarnation> parent;
  std::map<std::string, std::uint64_t>
      forks;  // of the parent's shards: the last sequence that counts
  bool deleted = false;
  Incarnation lineage;        // the oldest ancestor: items go on over an adoption
  std::uint32_t ordinal = 0;  // order of creation: parents before children
};

// A chain of a guarded table.
struct OpenedShard {
  std::optional<ShardId> parent;  // announced before it, so with a smaller number
  bool gap = false;               // changes may be missing before its first
  bool gap_at_end = false;        // changes are missing after its last
};

struct RootFacts {
  std::string archive_id;
  // Of 32 bytes; empty where the ledger is not signed. One for each key that a server announced (a restored data
  // directory has a key of its own), or only the one that was pinned.
  std::vector<std::string> public_keys;
  std::map<Incarnation, IncarnationFacts> incarnations;
  std::map<std::string, std::vector<Claim>> claims;  // by chain
  std::map<std::string, Instant> heartbeats;         // by chain, from the tip
  // By chain: the last sequence, of deleted tables' chains and of shards that were read to their end.
  std::map<std::string, std::uint64_t> closed;
  std::map<ShardId, OpenedShard> opened;  // of guarded tables
  std::optional<Digest> head;             // the newest checkpoint
  std::optional<Instant> head_instant;
  bool expected_head_found = false;
  bool expected_head_is_checkpoint = false;
};

struct RootOptions {
  std::optional<std::string> pinned_key;  // 32 bytes
  std::optional<Digest> expected_head;
  SignatureCheck check_signature;
};

// Reads archive.json, the tip and the root chain. What is wrong goes to `report`; an error means
// that nothing can be said at all (no archive, a newer format, I/O).
Result<RootFacts> read_root(ArchiveView& archive, const RootOptions& options, Report& report);

}  // namespace pawl::audit
