// The XML that S3's answers are made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/instant.h"

namespace pawl::wire {

// <name>text</name>; control characters as references, so that every key comes through.
void append_xml(std::string& out, std::string_view name, std::string_view text);
void append_xml(std::string& out, std::string_view name, std::uint64_t number);

// The declaration and the opening tag of `root`, with S3's namespace.
std::string begin_xml(std::string_view root);

// "2026-11-22T18:00:00.000Z": to the second, as the header says it.
std::string s3_timestamp(Instant instant);
// "Sun, 22 Nov 2026 18:00:00 GMT"
std::string http_date(Instant instant);

}  // namespace pawl::wire
