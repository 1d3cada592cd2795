#include "audit/item_record.h"

namespace pawl::audit {
namespace {

// A part ends with 00 01; a zero byte in it is 00 FF. No part's encoding begins another's, and order is kept.
constexpr char kEnd = '\x01';
constexpr char kZero = '\xFF';

void append_part(std::string& out, std::string_view part) {
  for (;;) {
    const auto zero = part.find('\0');
    out += part.substr(0, zero);
    out.push_back('\0');
    if (zero == std::string_view::npos) break;
    out.push_back(kZero);
    part.remove_prefix(zero + 1);
  }
  out.push_back(kEnd);
}

std::string read_part(Reader& reader) {
  std::string part;
  while (reader.ok()) {
    const auto zero = reader.rest().find('\0');
    if (zero == std::string_view::npos) {
      reader.fail();
      break;
    }
    part += reader.raw(zero);
    reader.u8();
    const auto mark = static_cast<char>(reader.u8());
    if (mark == kEnd) break;
    if (mark != kZero) reader.fail();
    part.push_back('\0');
  }
  return part;
}

}  // namespace

void append_item(std::string& out, ItemName item) {
  append_part(out, item.head);
  append_part(out, item.tail);
}

std::pair<std::string, std::string> read_item(Reader& reader) {
  std::pair<std::string, std::string> item;
  item.first = read_part(reader);
  item.second = read_part(reader);
  return item;
}

}  // namespace pawl::audit
