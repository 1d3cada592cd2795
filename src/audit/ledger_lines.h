// Reads ledger lines as docs/internals/archive-format.md describes them. The auditor's own reading:
// it shares nothing with the ledger's writer but SHA-256.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "port/archive_view.h"
#include "port/signature_check.h"

namespace pawl::audit {

// Longer lines are damage: a page has at most 4,096 changes, and no honest one comes near this.
inline constexpr std::size_t kLineSizeMax = 64 << 20;

struct LedgerLine {
  Digest digest;               // as written; equal to that of `json`
  std::string_view signature;  // base64, or empty where there is none
  std::string_view json;
};

// Splits a line (without its newline) and recomputes its digest. Nothing and `why` if it is
// damaged.
std::optional<LedgerLine> parse_line(std::string_view line, std::string& why);

// Whether the line was signed with one of the keys (Ed25519).
bool signature_holds(const LedgerLine& line, const std::vector<std::string>& public_keys,
                     const SignatureCheck& check);

// One line of a chain as it stands in the archive.
struct RawLine {
  std::string_view bytes;  // without the newline
  bool complete = true;    // false for a last line without its newline
  bool first_of_volume = false;
};

// The page of a line that is complete. Nothing and `why` if the line is damaged or no JSON. `page` lives until the parser's next
// parse.
std::optional<LedgerLine> parse_page(const RawLine& raw, simdjson::dom::parser& parser,
                                     simdjson::dom::element& page, std::string& why);

// Calls `visit` with every line of a chain ("root" or a shard id), volume after volume, until it
// returns false; `read_bytes` hears how many bytes were read. An incomplete line can only be the
// last of its volume.
Status read_chain(ArchiveView& archive, std::string_view chain,
                  const std::function<bool(const RawLine&)>& visit,
                  const std::function<void(std::uint64_t)>& read_bytes);

// The chains that have files, in byte order.
Result<std::vector<std::string>> list_chains(ArchiveView& archive, std::uint64_t& bytes_total);

}  // namespace pawl::audit
