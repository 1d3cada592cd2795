#include "base/crc.h"

#include <array>
#include <cstddef>

namespace pawl {
namespace {

// All three are reflected, and begin and end with all bits inverted; they differ in width and polynomial.
constexpr std::uint32_t kIeee = 0xEDB88320U;
constexpr std::uint32_t kCastagnoli = 0x82F63B78U;
constexpr std::uint64_t kNvme = 0x9A6C9329AC4BC9B5ULL;

// Table k says what a byte does that is followed by k others of the same step.
template <typename Word>
using Tables = std::array<std::array<Word, 256>, 8>;

template <typename Word>
constexpr Tables<Word> make_tables(Word polynomial) {
  Tables<Word> tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    Word value = static_cast<Word>(byte);
    for (int bit = 0; bit < 8; ++bit)
      value = static_cast<Word>((value >> 1) ^ ((value & 1) != 0 ? polynomial : 0));
    tables[0][byte] = value;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const Word before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

template <typename Word, Word Polynomial>
Word check(std::string_view bytes, Word before) {
  static constexpr Tables<Word> kTables = make_tables<Word>(Polynomial);
  Word value = ~before;
  while (bytes.size() >= 8) {
    Word next = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      Word byte = static_cast<std::uint8_t>(bytes[i]);
      if (i < sizeof(Word)) byte ^= (value >> (8 * i)) & 0xFF;
      next ^= kTables[7 - i][byte];
    }
    value = next;
    bytes.remove_prefix(8);
  }
  for (const char c : bytes)
    value = (value >> 8) ^ kTables[0][(value ^ static_cast<std::uint8_t>(c)) & 0xFF];
  return ~value;
}

// Polynomials over GF(2), modulo the check's: the highest bit stands for x^0, as reflected ones have it.
template <typename Word>
constexpr Word kOne = static_cast<Word>(Word{1} << (8 * sizeof(Word) - 1));

template <typename Word, Word Polynomial>
Word product(Word a, Word b) {
  Word result = 0;
  for (Word bit = kOne<Word>; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) result ^= b;
    b = static_cast<Word>((b >> 1) ^ ((b & 1) != 0 ? Polynomial : 0));
  }
  return result;
}

// To append B is to multiply A by x to the power of B's bits.
template <typename Word, Word Polynomial>
Word of_both(Word a, Word b, std::uint64_t b_bytes) {
  Word power = kOne<Word>;
  Word square = kOne<Word> >> 8;  // x^8: one byte
  for (; b_bytes != 0; b_bytes >>= 1) {
    if ((b_bytes & 1) != 0) power = product<Word, Polynomial>(power, square);
    square = product<Word, Polynomial>(square, square);
  }
  return product<Word, Polynomial>(power, a) ^ b;
}

}  // namespace

std::uint32_t crc32(std::string_view bytes, std::uint32_t before) {
  return check<std::uint32_t, kIeee>(bytes, before);
}
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  return check<std::uint32_t, kCastagnoli>(bytes, before);
}
std::uint64_t crc64_nvme(std::string_view bytes, std::uint64_t before) {
  return check<std::uint64_t, kNvme>(bytes, before);
}

std::uint32_t crc32_of_both(std::uint32_t a, std::uint32_t b, std::uint64_t b_bytes) {
  return of_both<std::uint32_t, kIeee>(a, b, b_bytes);
}
std::uint32_t crc32c_of_both(std::uint32_t a, std::uint32_t b, std::uint64_t b_bytes) {
  return of_both<std::uint32_t, kCastagnoli>(a, b, b_bytes);
}
std::uint64_t crc64_nvme_of_both(std::uint64_t a, std::uint64_t b, std::uint64_t b_bytes) {
  return of_both<std::uint64_t, kNvme>(a, b, b_bytes);
}

}  // namespace pawl
