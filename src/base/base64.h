// Base64 with the standard alphabet and padding (RFC 4648, section 4), as the AWS JSON protocol uses it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pawl {

std::string to_base64(std::string_view bytes);
void append_base64(std::string& out, std::string_view bytes);

// The bytes that `text` encodes; nothing if it has a foreign character, wrong padding, or bits set
// beyond the last byte.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace pawl
