// Text of an XML element, escaped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pawl::wire {

// What becomes of a control character that XML 1.0 can't carry: a reference to it (as S3 gives keys; parsers differ in what
// they make of it), or nothing. Tab, line feed and carriage return are references in any case, so that they come through.
enum class XmlControls : std::uint8_t { kReferred, kDropped };

// `text` is UTF-8.
void append_xml_text(std::string& out, std::string_view text,
                     XmlControls controls = XmlControls::kReferred);

}  // namespace pawl::wire
