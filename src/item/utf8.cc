#include "item/utf8.h"

#include <simdjson.h>

#include <cstdint>
#include <cstring>

namespace pawl::item {

bool is_utf8(std::string_view bytes) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  for (; at < bytes.size(); ++at) {
    // Everything before `at` is ASCII, so no character starts there and ends here.
    if ((bytes[at] & 0x80) != 0)
      return simdjson::validate_utf8(bytes.data() + at, bytes.size() - at);
  }
  return true;
}

}  // namespace pawl::item
