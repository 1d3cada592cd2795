// DynamoDB's number: decimal, up to 38 significant digits, exact.
// Range (Amazon DynamoDB developer guide, "Supported data types"): zero, and magnitudes from 1E-130
// to 9.9999999999999999999999999999999999999E+125.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "base/result.h"

namespace pawl::item {

// Immutable value type, 32 bytes. Always normalised: the coefficient has no trailing zero, and zero
// is
// {+, 0, 0}; so equal numbers are equal member by member.
class Number {
 public:
  Number() = default;
  explicit Number(std::int64_t value);

  // Decimal text with optional sign, fraction and exponent ("-1.5e3"). Errors: not a number, more
  // than 38 significant digits, out of range; the message is the service's own.
  static Result<Number> parse(std::string_view text);

  // As the service writes numbers: plain decimal notation, without exponent ("1500", "0.00015"); at
  // most kTextMax characters.
  std::string to_string() const;
  void append_to(std::string& out) const;
  static constexpr std::size_t kTextMax = 176;  // "-0.", 129 zeros, 38 digits, and some

  // Exact, or an error where the result has more than 38 digits or leaves the range.
  static Result<Number> add(const Number& a, const Number& b);
  static Result<Number> subtract(const Number& a, const Number& b);

  bool is_zero() const { return coefficient_ == 0; }
  // The service's size of a number: one byte for every pair of digits that holds a significant one
  // (pairs counted from the decimal point), plus one, plus one more if negative; 1 for zero; at most 21. See
  // item_size.h.
  std::size_t stored_size() const;

  // Bytes whose order is the order of the numbers; self-delimiting; at most 24 bytes. For keys.
  //   zero      02
  //   positive  03, exponent of the first digit + 130, digit pairs + 1 from the first digit on, 00
  //   negative  01, then the same bytes complemented
  // Reading accepts exactly what is written (one encoding a number) and leaves `input` after it.
  // Errors: kCorrupt.
  void append_ordered(std::string& out) const;
  static Result<Number> read_ordered(std::string_view& input);

  // The short form for stored items, 2 to 21 bytes, without an order: varint of zigzag(exponent) *
  // 2 + negative, then the coefficient as a varint of up to 128 bits. Errors: kCorrupt.
  void append_compact(std::string& out) const;
  static Result<Number> read_compact(Reader& reader);

  std::strong_ordering operator<=>(const Number& other) const;
  bool operator==(const Number& other) const = default;

 private:
  __extension__ typedef unsigned __int128 Coefficient;  // < 10^38 < 2^127
  Number(bool negative, Coefficient coefficient, int exponent)
      : coefficient_(coefficient),
        exponent_(static_cast<std::int16_t>(exponent)),
        negative_(negative) {}
  // Trims zeros and checks the limits.
  static Result<Number> normalised(bool negative, Coefficient coefficient, std::int64_t exponent);
  // The exponent of the first digit: 0 for 1 to 9.99…
  int leading_exponent() const;

  Coefficient coefficient_ = 0;
  std::int16_t exponent_ = 0;  // value = coefficient * 10^exponent
  bool negative_ = false;
};

}  // namespace pawl::item
