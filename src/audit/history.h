// `pawl history`: every version of one item, from the archive alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/instant.h"
#include "base/result.h"
#include "port/archive_view.h"

namespace pawl::audit {

// Of what a supervised bucket keeps and has not entered yet, at most so many objects are read in one search: as many as one page of
// the kept chain enters.
inline constexpr std::uint64_t kKeptLooksMax = 4096;

struct HistoryOptions {
  // The partition key's value ("A000001", a number, or base64 of a binary), or a whole key as
  // DynamoDB JSON
  // ({"hashid":{"S":"A000001"}}).
  std::string key;
  std::optional<std::string>
      sort;  // the sort key's value; without it all items of the partition key
  std::optional<std::string> table;      // nothing = every table
  std::optional<std::uint64_t> version;  // this version only
  std::optional<Instant> at;             // the version that was current then, only
};

struct HistoryEntry {
  std::string table;
  std::string incarnation;
  std::string key;  // DynamoDB JSON
  std::optional<std::uint64_t>
      version;         // of a guarded table: its version attribute; absent where it has none
  std::string kind;    // "INSERT", "MODIFY", "REMOVE"; "PUT-BACK" and "LOST" of the repair chain
  Instant instant;     // of what was put back or lost: it was not before this
  std::string object;  // empty of what is lost
  std::uint64_t size = 0;  // of its content, by its page; and its digest
  Digest digest;
  // Where that content is, where one version was asked for and its object was written again or deleted since: a supervised bucket
  // keeps it, entered already or not.
  std::string kept;
  std::string shard;
  std::uint64_t sequence = 0;
  std::string source;  // of a guarded table: the record's own number in the stream; else empty
  bool foreign =
      false;  // of a checked table: somebody else wrote the object, so its content is no image that we know
  bool missing = false;  // of a checked table: no object had come by its deadline
  // From the repair chain of a guarded table, whose stream had trimmed the change: not after this; nothing: it was the newest.
  std::optional<Instant> until;
  bool put_back = false;
  bool lost = false;                  // versions that nothing holds any more
  std::optional<std::uint64_t> from;  // of these, the first and the last, as far as known
  std::optional<std::uint64_t> to;
  // Where one version was asked for: whether its content was found, under its name or kept. kAltered: something is there, and
  // nothing of it is what the page says. kUnsettled: it was not found, and more is kept and not entered yet than was looked at
  // (kKeptLooksMax), so it may be there.
  enum class Content : std::uint8_t { kNotRead, kWhole, kMissing, kAltered, kUnsettled };
  Content content = Content::kNotRead;
  std::string
      body;  // the content, if it is whole: all, or the first kBodySizeMax bytes (body_facts.h)
  std::string image;  // its new image as DynamoDB JSON; "null" for a removal
};

// Oldest first, item by item; what the repair chain has of an item stands where its hole is. `version` finds what was lost, too,
// and `at` all that may have been current then, since nothing tells when within its hole a version was there.
// An empty list if there is no such item or version. Reads the whole
// ledger, and only the bodies that are asked for. Errors: no archive, I/O, a ledger that can't be
// read (`pawl verify` says more).
Result<std::vector<HistoryEntry>> item_history(ArchiveView& archive, const HistoryOptions& options);

}  // namespace pawl::audit
