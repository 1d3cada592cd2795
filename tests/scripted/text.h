// Bytes into the texts of the protocols, and back: decimal and hexadecimal digits, percent-encoding, XML, JSON, dates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scripted {

void append_hex(std::string& out, std::uint64_t value);  // 16 digits
std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view digits);
std::string to_base64(std::string_view bytes);

std::optional<std::uint64_t> parse_number(std::string_view digits);
// `width` decimal digits of `value`, which must fit.
void append_padded(std::string& out, std::uint64_t value, unsigned width);

// Nothing where a "%" isn't followed by two hexadecimal digits. `plus` reads "+" as a space.
std::optional<std::string> percent_decode(std::string_view text, bool plus);
// As S3 does for encoding-type=url: "/" stays.
std::string percent_encode(std::string_view text);

std::string xml_escape(std::string_view text);
void append_json_string(std::string& out, std::string_view text);  // with its quotes
std::string json_string(std::string_view text);

std::string iso_date(std::int64_t ms);   // 2016-12-02T04:27:00.000Z
std::string http_date(std::int64_t ms);  // Fri, 02 Dec 2016 04:27:00 GMT
// "20161202T042700Z" of a signature, in milliseconds.
std::optional<std::int64_t> parse_amz_date(std::string_view text);

}  // namespace scripted
