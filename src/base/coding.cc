#include "base/coding.h"

namespace pawl {
namespace {

void append_be(std::string& out, std::uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift & 0xFF));
  }
}

}  // namespace

void append_u8(std::string& out, std::uint8_t value) { out.push_back(static_cast<char>(value)); }
void append_u16_be(std::string& out, std::uint16_t value) { append_be(out, value, 2); }
void append_u32_be(std::string& out, std::uint32_t value) { append_be(out, value, 4); }
void append_u64_be(std::string& out, std::uint64_t value) { append_be(out, value, 8); }

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void append_bytes(std::string& out, std::string_view bytes) {
  append_varint(out, bytes.size());
  out.append(bytes);
}

std::uint64_t Reader::fixed_be(std::size_t size) {
  std::uint64_t value = 0;
  for (const char c : raw(size)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::uint16_t Reader::u16_be() { return static_cast<std::uint16_t>(fixed_be(2)); }
std::uint32_t Reader::u32_be() { return static_cast<std::uint32_t>(fixed_be(4)); }
std::uint64_t Reader::u64_be() { return fixed_be(8); }

std::uint64_t Reader::long_varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    const std::uint8_t byte = u8();
    if (!ok_) return 0;
    if (shift == 63 && byte > 1) break;  // would not fit 64 bits
    if (shift > 0 && byte == 0) break;   // a longer form of a number that has a shorter one
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  fail();
  return 0;
}

std::string_view Reader::bytes() {
  const std::uint64_t size = varint();
  if (!ok_ || size > rest_.size()) {
    fail();
    return {};
  }
  return raw(static_cast<std::size_t>(size));
}

}  // namespace pawl
