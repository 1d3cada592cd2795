// Reads the kept chain of a supervised bucket: what was replaced or deleted by others than Pawl, and where its content is kept.
// Checks every page and the form of every entry; whether the kept objects are there is for kept_check.h. The format:
// docs/internals/archive-format.md, "Kept pages". Shares nothing with what writes it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "audit/report.h"
#include "audit/root_facts.h"
#include "audit/shard_reader.h"

namespace pawl::audit {

inline constexpr std::string_view kKeptChain = "kept";
inline constexpr std::string_view kKeptFolder = ".pawl/kept/";

// What is kept has the number of its entry, and these are dense: ".pawl/kept/" and 16 digits.
std::string kept_name(std::uint64_t number);

struct KeptContent {
  std::uint64_t size = 0;
  Digest digest;
  friend bool operator==(const KeptContent&, const KeptContent&) = default;
};

// One entry. Views are valid during the call only.
struct LedgerKept {
  std::uint64_t sequence = 0;
  std::string_view object;  // the name that it had
  std::uint64_t size = 0;
  Digest digest;
  std::string_view kept;  // the name that it has: kept_name(sequence)
  Instant at;
  bool deleted = false;  // else replaced
  // By what; nothing: that was displaced itself before this was entered, and a later entry of the name says what it was.
  std::optional<KeptContent> by;
};

// As read_shard(). A bucket that keeps nothing has no such chain, which reads as an empty one.
Result<ShardSummary> read_kept(ArchiveView& archive, const RootFacts& facts,
                               const RootOptions& options, bool& head_found, Report& report,
                               const std::function<Status(const LedgerKept&)>& visit,
                               const std::function<void(std::uint64_t)>& read_bytes);

}  // namespace pawl::audit
