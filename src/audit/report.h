// What `pawl verify` found: counts, findings, what is proven and what is assumed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/instant.h"

namespace pawl::audit {

enum class FindingKind {
  kMissingObject,    // a page lists it, and it is not there
  kAlteredObject,    // its size, its content, or what it says of itself is not what the page says
  kListedTwice,      // two changes claim one object
  kUnlistedObject,   // an object that no page lists and no unsealed change explains
  kMissingChange,    // a hole in a shard's sequence or in an item's versions
  kDuplicateChange,  // one version of an item listed twice
  kOutOfOrder,       // order or instants that contradict the chain
  kDamagedPage,      // bytes that are not what was written
  kBrokenChain,      // a page that does not follow the one before it
  kCutOff,           // pages that a tip, checkpoint, head or root event names are not there
  kBadSignature,     // a signature that is missing or wrong
  kDamagedRoot,      // the root chain does not say what must be there
  kFalseRepair,      // what a repair chain says of an item is not so
  kNotProven,        // --head or --until asks for more than the archive shows
};
std::string_view name_of(FindingKind kind);

// One thing that is wrong, named as exactly as the archive allows. Empty fields do not apply.
struct Finding {
  FindingKind kind = FindingKind::kDamagedPage;
  std::string table;
  std::string item;  // the key, DynamoDB JSON
  std::optional<std::uint64_t> version;
  std::string object;
  std::string chain;
  std::optional<std::uint64_t> sequence;
  std::optional<std::uint64_t> page;
  std::string detail;  // one sentence
};

// At most this many findings are kept one by one, and this many known gaps; all are counted.
inline constexpr std::size_t kFindingsMax = 1000;

// A place in a guarded table's ledger where records were trimmed before they were read, as the ledger says itself.
struct KnownGap {
  std::string table;
  std::string chain;
  std::uint64_t sequence =
      0;  // of the change that the gap stands before; 0: before the chain's first; behind the last where `before` is empty
  std::optional<std::string>
      after;  // the source numbers that it lies between, where they are known
  std::string before;
};

// What a guarded table's repair chain says is nowhere any more.
struct KnownLoss {
  std::string table;
  std::string item;  // the key, DynamoDB JSON
  std::string chain;
  std::uint64_t sequence = 0;         // of the entry, in the repair chain
  std::optional<std::uint64_t> from;  // nothing: nobody can say which
  std::optional<std::uint64_t> to;
  bool removed = false;  // a removal of the item is among it
  Instant since;         // it was lost between these
  Instant until;
};

// A version whose object does not hold any more what its page says, since somebody wrote it again or deleted it, and whose content is
// kept.
struct KeptVersion {
  std::string table;
  std::string item;  // the key, DynamoDB JSON
  std::optional<std::uint64_t> version;
  std::string object;
  std::string kept;           // where its content is
  std::optional<Instant> at;  // since when; nothing: the kept chain does not say so yet
  bool deleted = false;       // as far as it says
};

struct TableSummary {
  std::uint64_t versions = 0;
  std::uint64_t items = 0;
};

struct Report {
  std::string archive;     // where
  std::string archive_id;  // 16 hex
  std::map<std::string, TableSummary> tables;
  std::uint64_t versions = 0;  // changes in pages
  std::uint64_t items = 0;
  std::uint64_t pages = 0;
  std::uint64_t bytes = 0;  // sizes of the listed objects
  std::uint64_t unsealed =
      0;  // objects of changes after the last page: normal after a crash or beside a server
  std::uint64_t torn_pages = 0;  // chains whose last line is incomplete: likewise
  std::uint64_t superseded = 0;  // changes after the fork of an adopted chain
  std::optional<Instant> first;  // of the oldest and the newest change
  std::optional<Instant> last;
  std::optional<Digest> head;  // newest checkpoint: keep it elsewhere to detect truncation later
  std::optional<Instant> head_instant;
  std::uint64_t guarded_tables = 0;  // lives of tables that somebody else keeps
  std::uint64_t gaps = 0;  // that their ledger enters: known to be missing, which is no damage
  std::vector<KnownGap> known_gaps;  // the first kFindingsMax
  // What came of them in repair chains: images that were put back, and losses that were entered (the first kFindingsMax one by
  // one). Holes in gaps that no entry accounts for: nobody has run `pawl guard repair` since.
  std::uint64_t put_back = 0;
  std::uint64_t lost = 0;
  std::vector<KnownLoss> known_lost;
  std::uint64_t open_holes = 0;
  // Changes of guarded tables that nothing ties to their item's change before: no versions, or no images, or not read.
  std::uint64_t untied = 0;
  // Of tables whose objects somebody else writes: versions whose object is theirs, those that Pawl put in because it had not
  // come, and objects that no page lists.
  std::uint64_t foreign = 0;
  std::uint64_t repaired = 0;
  std::uint64_t redelivered = 0;  // of the foreign ones
  std::uint64_t others = 0;
  // Of a supervised bucket: what it keeps that others replaced or deleted, as its kept chain says; kept objects that are not in
  // it yet; and the versions that this explains (the first kFindingsMax one by one).
  std::uint64_t kept = 0;
  std::uint64_t kept_bytes = 0;
  std::uint64_t kept_unsealed = 0;
  std::uint64_t rewritten = 0;
  std::uint64_t deleted = 0;
  std::vector<KeptVersion> kept_versions;
  bool deep = false;
  bool signatures_checked = false;
  bool key_pinned = false;  // --public-key was given
  std::string public_key;   // base64
  std::optional<Digest> expected_head;
  bool head_found = false;
  std::optional<Instant> expected_until;

  std::vector<Finding> findings;  // the first kFindingsMax
  std::uint64_t findings_total = 0;

  bool sound() const { return findings_total == 0; }
  void add(Finding finding) {
    ++findings_total;
    if (findings.size() < kFindingsMax) findings.push_back(std::move(finding));
  }
  void add(KnownGap gap) {
    ++gaps;
    if (known_gaps.size() < kFindingsMax) known_gaps.push_back(std::move(gap));
  }
  void add(KeptVersion version) {
    ++(version.deleted ? deleted : rewritten);
    if (kept_versions.size() < kFindingsMax) kept_versions.push_back(std::move(version));
  }
  void add(KnownLoss loss) {
    ++lost;
    if (known_lost.size() < kFindingsMax) known_lost.push_back(std::move(loss));
  }
};

// What the report proves and what it takes for granted, as sentences for people.
std::vector<std::string> proves(const Report& report);
std::vector<std::string> assumes(const Report& report);

// The document of docs/schemas/verify.schema.json: one line of JSON with a newline.
std::string to_json(const Report& report);
// "table users, item {…}, version 3, object logs/A-3.log: …".
std::string to_text(const Finding& finding);
// "table users, chain …-0001, before sequence 7 (after 100, before 200)".
std::string to_text(const KnownGap& gap);
// "table users, item {…}: versions 5 to 6, between … and …".
std::string to_text(const KnownLoss& loss);
// "table users, item {…}, version 3: logs/A-3.log was rewritten, and what it held is kept as .pawl/kept/… since …".
std::string to_text(const KeptVersion& version);

}  // namespace pawl::audit
