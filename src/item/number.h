// DynamoDB's number: decimal, up to 38 significant digits, exact.
// Range (Amazon DynamoDB developer guide, "Supported data types"): zero, and magnitudes from 1E-130 to
// 9.9999999999999999999999999999999999999E+125.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pawl::item {

// Immutable value type, 32 bytes. Always normalised: the coefficient has no trailing zero, and zero is
// {+, 0, 0}; so equal numbers are equal member by member.
class Number {
 public:
  Number() = default;
  explicit Number(std::int64_t value);

  // Decimal text with optional sign, fraction and exponent ("-1.5e3"). Errors: not a number, more than
  // 38 significant digits, out of range; the message is the service's own.
  static Result<Number> parse(std::string_view text);

  // As the service writes numbers: plain decimal notation, without exponent ("1500", "0.00015").
  std::string to_string() const;

  // Exact, or an error where the result has more than 38 digits or leaves the range.
  static Result<Number> add(const Number& a, const Number& b);
  static Result<Number> subtract(const Number& a, const Number& b);

  bool is_zero() const { return coefficient_ == 0; }
  // DynamoDB's size of a number: about one byte for two significant digits, plus one (and one more if
  // negative). See item_size.h.
  std::size_t stored_size() const;

  // Bytes whose order is the order of the numbers; self-delimiting; at most 24 bytes. For keys.
  void append_ordered(std::string& out) const;
  static Result<Number> read_ordered(std::string_view& input);

  std::strong_ordering operator<=>(const Number& other) const;
  bool operator==(const Number& other) const = default;

 private:
  __extension__ typedef unsigned __int128 Coefficient;  // < 10^38 < 2^127
  Number(bool negative, Coefficient coefficient, int exponent);

  Coefficient coefficient_ = 0;
  std::int16_t exponent_ = 0;  // value = coefficient * 10^exponent
  bool negative_ = false;
};

}  // namespace pawl::item
