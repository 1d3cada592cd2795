// Lower-case hexadecimal text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

// Two digits a byte, lower case.
std::string to_hex(std::string_view bytes);

// The bytes of an even number of digits, lower or upper case; nothing if any character is no digit.
std::optional<std::string> from_hex(std::string_view text);

// The number written by exactly `digits` (1 to 16) lower-case digits.
std::optional<std::uint64_t> parse_hex_number(std::string_view text, std::size_t digits);

}  // namespace pawl
