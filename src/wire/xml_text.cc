#include "wire/xml_text.h"

namespace pawl::wire {

void append_xml_text(std::string& out, std::string_view text, XmlControls controls) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\t':
      case '\n':
      case '\r':
        out.append("&#").append(std::to_string(static_cast<int>(c))).push_back(';');
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) {
          out.push_back(c);
        } else if (controls == XmlControls::kReferred) {
          out.append("&#").append(std::to_string(static_cast<int>(c))).push_back(';');
        }
    }
  }
}

}  // namespace pawl::wire
