// One line of the ledger: "<digest> <signature or -> <json>\n". The format: ledger/page_format.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"
#include "port/signer.h"

namespace pawl::ledger {

// A line to be written.
struct EncodedLine {
  std::string text;  // with its '\n'
  Digest digest;     // of the JSON: what the next page's `previous` names
};

// Nothing of `signer` = unsigned. Errors: those of the signer.
Result<EncodedLine> make_line(std::string_view json, Signer* signer);

// A line that was read. Views point into the input.
struct ParsedLine {
  Digest digest;
  std::string_view signature;  // base64, 88 characters; empty if the line is unsigned
  std::string_view json;
};

// Checks the form and that the digest is that of the JSON; the signature's form only (the verifier of src/audit
// checks it against the public key). Errors: kCorrupt.
Result<ParsedLine> parse_line(std::string_view line);

}  // namespace pawl::ledger
