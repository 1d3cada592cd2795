// Text of bytes that a user's code has written: what is no UTF-8 becomes U+FFFD.
#pragma once

#include <string>
#include <string_view>

namespace pawl {

// Of at most `most` bytes of `bytes`, cut between two characters; it may be three times as long.
std::string valid_text(std::string_view bytes, std::size_t most = std::string_view::npos);

}  // namespace pawl
