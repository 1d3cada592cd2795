#include "ledger/line.h"

#include "base/base64.h"
#include "ledger/page_format.h"

namespace pawl::ledger {
namespace {

constexpr std::size_t kDigestSize = 64;
constexpr std::size_t kSignatureSize = 88;

Error damaged(std::string why) {
  return Error{ErrorCode::kCorrupt, "a ledger line is damaged: " + std::move(why),
               "run `pawl verify` on the archive"};
}

}  // namespace

Result<EncodedLine> make_line(std::string_view json, Signer* signer) {
  EncodedLine line;
  line.digest = sha256(json);
  const std::string digest = line.digest.to_hex();
  line.text.reserve(digest.size() + kSignatureSize + json.size() + 3);
  line.text += digest;
  line.text += ' ';
  if (signer == nullptr) {
    line.text += '-';
  } else {
    PAWL_ASSIGN_OR_RETURN(const Signature signature,
                          signer->sign(std::string(kSignedPrefix) + digest));
    append_base64(line.text, {reinterpret_cast<const char*>(signature.data()), signature.size()});
  }
  line.text += ' ';
  line.text += json;
  line.text += '\n';
  return line;
}

Result<ParsedLine> parse_line(std::string_view line) {
  if (line.size() > kLineBytesMax) return damaged("it is longer than any line");
  if (line.empty() || line.back() != '\n') return damaged("it does not end with a newline");
  line.remove_suffix(1);
  if (line.size() < kDigestSize + 3 || line[kDigestSize] != ' ') return damaged("no digest");
  ParsedLine parsed;
  const auto digest = Digest::parse(line.substr(0, kDigestSize));
  if (!digest) return damaged("no digest");
  parsed.digest = *digest;
  line.remove_prefix(kDigestSize + 1);
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return damaged("no JSON");
  if (const auto signature = line.substr(0, space); signature != "-") {
    const auto bytes = from_base64(signature);
    if (signature.size() != kSignatureSize || !bytes || bytes->size() != Signature{}.size()) {
      return damaged("no signature");
    }
    parsed.signature = signature;
  }
  parsed.json = line.substr(space + 1);
  if (parsed.json.find('\n') != std::string_view::npos) return damaged("a newline inside");
  if (sha256(parsed.json) != parsed.digest) return damaged("its digest is not that of its JSON");
  return parsed;
}

}  // namespace pawl::ledger
