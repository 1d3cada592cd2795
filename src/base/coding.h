// The binary building blocks of stored records: big-endian integers (so that keys sort as numbers do),
// variable-length integers (LEB128), and a reader that never runs past its end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

void append_u8(std::string& out, std::uint8_t value);
void append_u16_be(std::string& out, std::uint16_t value);
void append_u32_be(std::string& out, std::uint32_t value);
void append_u64_be(std::string& out, std::uint64_t value);
// 1 to 10 bytes, seven bits each, lowest first.
void append_varint(std::string& out, std::uint64_t value);
// A varint length, then the bytes.
void append_bytes(std::string& out, std::string_view bytes);

// Reads what the functions above wrote. After the first failure every further read fails, so a
// sequence may be read without a check in between and asked for ok() at its end. Views point into
// the input, which must outlive them. A varint in more bytes than it needs is refused, so that every
// value has one encoding.
class Reader {
 public:
  explicit Reader(std::string_view input) : rest_(input) {}

  std::uint8_t u8() {
    const std::string_view byte = raw(1);
    return byte.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(byte[0]);
  }
  std::uint16_t u16_be();
  std::uint32_t u32_be();
  std::uint64_t u64_be();
  std::uint64_t varint() {
    // Most are one byte; inline, since records are made of them.
    if (!rest_.empty() && static_cast<unsigned char>(rest_[0]) < 0x80) return u8();
    return long_varint();
  }
  std::string_view bytes();                 // what append_bytes wrote
  std::string_view raw(std::size_t size) {  // exactly `size` bytes
    if (!ok_ || size > rest_.size()) {
      fail();
      return {};
    }
    const auto piece = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return piece;
  }
  std::string_view rest() const { return rest_; }  // what has not been read
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }
  void fail() { ok_ = false, rest_ = {}; }

 private:
  std::uint64_t fixed_be(std::size_t size);
  std::uint64_t long_varint();

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace pawl
