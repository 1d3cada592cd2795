// Pages of the kept chain of a supervised bucket: what its clients replaced or deleted, and where that is kept. The format:
// docs/internals/archive-format.md, "Kept pages". Written by bucket/kept_recorder.h; read by src/audit, which shares none of this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/ids.h"
#include "base/instant.h"
#include "ledger/entry_chain.h"

namespace pawl::ledger {

inline constexpr std::string_view kKeptPageFormat = "pawl-kept/1";
inline constexpr std::string_view kKeptChain = "kept";

// What a content was, whatever its name.
struct ContentFacts {
  std::uint64_t size = 0;
  Digest sha256;
};

struct KeptEntry {
  SequenceNumber sequence;  // in the kept chain, dense from 1
  std::string object;       // the name that it had
  std::uint64_t size = 0;
  Digest sha256;
  std::string kept;      // the name that it has now
  Instant at;            // when its place was taken
  bool deleted = false;  // and by nothing
  // What took its place, where that still stood there when it was entered. Where not, a later entry of the name says what that was.
  std::optional<ContentFacts> by;
};

std::string encode_kept_entry(const KeptEntry& entry);

// As of any such chain (entry_chain.h).
Result<NextPage> next_kept_page(const ChainEndState& end, const std::string& archive,
                                const std::vector<std::string>& entries, Instant now);
Result<ChainEndState> kept_chain_end(std::string_view last_line, const std::string& archive);

}  // namespace pawl::ledger
