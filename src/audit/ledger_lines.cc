#include "audit/ledger_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/base64.h"

namespace pawl::audit {
namespace {

constexpr std::size_t kPieceSize = 1 << 20;
constexpr std::size_t kDigestSize = 64;
constexpr std::string_view kLedgerFolder = ".pawl/ledger/";

}  // namespace

std::optional<LedgerLine> parse_line(std::string_view line, std::string& why) {
  const auto digest = Digest::parse(line.substr(0, kDigestSize));
  if (!digest || line.size() < kDigestSize + 4 || line[kDigestSize] != ' ') {
    why = "it does not start with a digest";
    return std::nullopt;
  }
  const std::string_view rest = line.substr(kDigestSize + 1);
  const auto space = rest.find(' ');
  if (space != 1 && space != 88) {
    why = "its signature field is malformed";
    return std::nullopt;
  }
  LedgerLine parsed;
  parsed.digest = *digest;
  parsed.signature = rest.substr(0, space);
  if (space == 1) {
    if (parsed.signature != "-") {
      why = "its signature field is malformed";
      return std::nullopt;
    }
    parsed.signature = {};
  }
  parsed.json = rest.substr(space + 1);
  if (sha256(parsed.json) != parsed.digest) {
    why = "its bytes do not have the digest that it states";
    return std::nullopt;
  }
  return parsed;
}

std::optional<LedgerLine> parse_page(const RawLine& raw, simdjson::dom::parser& parser,
                                     simdjson::dom::element& page, std::string& why) {
  auto line = parse_line(raw.bytes, why);
  if (!line) return std::nullopt;
  if (parser.parse(line->json.data(), line->json.size()).get(page) != simdjson::SUCCESS) {
    why = "it is no JSON";
    return std::nullopt;
  }
  return line;
}

bool signature_holds(const LedgerLine& line, const std::vector<std::string>& public_keys,
                     const SignatureCheck& check) {
  const auto signature = from_base64(line.signature);
  if (!signature || signature->empty()) return false;
  const auto message = "pawl-ledger/1 " + line.digest.to_hex();
  // The newest key first: it signed the most.
  return std::any_of(public_keys.rbegin(), public_keys.rend(),
                     [&](const auto& key) { return check(key, message, *signature); });
}

Status read_chain(ArchiveView& archive, std::string_view chain,
                  const std::function<bool(const RawLine&)>& visit,
                  const std::function<void(std::uint64_t)>& read_bytes) {
  std::vector<std::string> volumes;
  PAWL_TRY(archive.list(fmt::format("{}{}/", kLedgerFolder, chain),
                        [&volumes](const ArchiveView::Entry& entry) {
                          if (entry.name.ends_with(".pages")) volumes.emplace_back(entry.name);
                          return true;
                        }));
  std::sort(volumes.begin(), volumes.end());
  for (const auto& volume : volumes) {
    std::string pending;
    bool first = true;
    for (std::uint64_t offset = 0;;) {
      PAWL_ASSIGN_OR_RETURN(const auto piece, archive.read(volume, offset, kPieceSize));
      if (!piece || piece->empty()) break;
      offset += piece->size();
      read_bytes(piece->size());
      // Only the new piece can hold the newline that ends what was pending.
      std::string_view rest = *piece;
      for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
        std::string_view line = rest.substr(0, end);
        if (!pending.empty()) {
          pending.append(line);
          line = pending;
        }
        if (!visit({line, true, first})) return ok();
        first = false;
        pending.clear();
        rest.remove_prefix(end + 1);
      }
      pending.append(rest);
      if (pending.size() > kLineSizeMax) {
        visit({std::string_view(pending).substr(0, kDigestSize), true,
               first});  // damage: no such line
        pending.clear();
        break;
      }
    }
    // Nothing follows a page that a crash cut off: before another volume it is damage.
    const bool torn = volume == volumes.back();
    if (!pending.empty() && !visit({pending, !torn, first})) return ok();
  }
  return ok();
}

Result<std::vector<std::string>> list_chains(ArchiveView& archive, std::uint64_t& bytes_total) {
  std::set<std::string, std::less<>> chains;
  bytes_total = 0;
  PAWL_TRY(archive.list(kLedgerFolder, [&](const ArchiveView::Entry& entry) {
    const auto rest = entry.name.substr(kLedgerFolder.size());
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) return true;
    chains.emplace(rest.substr(0, slash));
    bytes_total += entry.size;
    return true;
  }));
  return std::vector<std::string>(chains.begin(), chains.end());
}

}  // namespace pawl::audit
