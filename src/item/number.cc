#include "item/number.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/assert.h"

namespace pawl::item {
namespace {

__extension__ typedef unsigned __int128 U128;

constexpr int kDigitsMax = 38;
constexpr std::size_t kStoredSizeMax = 21;  // as DynamoDB Local accounts the longest ones
constexpr int kLeadingExponentMin = -130;
constexpr int kLeadingExponentMax = 125;
// Where exponents in text stop being counted: far outside the range, far inside an int64.
constexpr std::int64_t kExponentClamp = 1'000'000'000;

constexpr auto kPowers = [] {
  std::array<U128, kDigitsMax + 1> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();
U128 power_of_ten(int exponent) { return kPowers[static_cast<std::size_t>(exponent)]; }

// How many decimal digits it has; 1 for zero. Values below 10^39.
int count_digits(U128 value) {
  int digits = 1;
  if (value >= power_of_ten(19)) digits = 20;
  while (digits <= kDigitsMax && value >= power_of_ten(digits)) ++digits;
  return digits;
}

// Removes trailing zeros; returns how many.
int trim_zeros(U128& value) {
  int zeros = 0;
  if (value == 0) return 0;
  while (value >> 64 != 0) {  // 128-bit divisions are slow: only while they must be
    if (value % 10 != 0) return zeros;
    value /= 10;
    ++zeros;
  }
  auto low = static_cast<std::uint64_t>(value);
  while (low % 10 == 0) {
    low /= 10;
    ++zeros;
  }
  value = low;
  return zeros;
}

// Writes exactly `digits` decimal digits (0 to 9, not characters) of `value`.
void write_digits(U128 value, int digits, char* out) {
  std::uint64_t low = 0;
  int at = digits;
  if (value >= power_of_ten(19)) {
    low = static_cast<std::uint64_t>(value % power_of_ten(19));
    for (int i = 0; i < 19; ++i, low /= 10) out[--at] = static_cast<char>(low % 10);
    value /= power_of_ten(19);
  }
  for (low = static_cast<std::uint64_t>(value); at > 0; low /= 10) {
    out[--at] = static_cast<char>(low % 10);
  }
}

Error not_a_number(std::string_view text) {
  constexpr std::size_t kShownMax = 256;
  std::string message = "The parameter cannot be converted to a numeric value";
  if (!text.empty()) {
    // Cut at a character, so that the message stays valid UTF-8.
    std::size_t shown = std::min(text.size(), kShownMax);
    while (shown > 0 && shown < text.size() && (text[shown] & 0xC0) == 0x80) --shown;
    message.append(": ").append(text.substr(0, shown));
  }
  return {ErrorCode::kInvalid, std::move(message), ""};
}
Error overflow() {
  return {
      ErrorCode::kInvalid,
      "Number overflow. Attempting to store a number with magnitude larger than supported range",
      ""};
}
Error underflow() {
  return {
      ErrorCode::kInvalid,
      "Number underflow. Attempting to store a number with magnitude smaller than supported range",
      ""};
}
Error too_many_digits() {
  return {ErrorCode::kInvalid, "Attempting to store more than 38 significant digits in a Number",
          ""};
}
Error corrupt() { return {ErrorCode::kCorrupt, "A stored number is damaged.", ""}; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Decimal text, taken apart.
struct Scanned {
  bool negative = false;
  U128 coefficient = 0;       // of the significant digits, if there are no more than 38
  std::int64_t digits = 0;    // significant ones
  std::int64_t exponent = 0;  // of the last significant digit
};

// The digits of `text` from `at` on, with at most one point among them.
bool scan_digits(std::string_view text, std::size_t& at, Scanned& scanned) {
  std::int64_t zeros = 0;  // seen since the last significant digit
  bool point = false;
  bool any = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (!is_digit(c)) break;
    any = true;
    if (point) --scanned.exponent;
    if (c == '0') {
      if (scanned.digits > 0) ++zeros;
      continue;
    }
    scanned.digits += zeros + 1;
    if (scanned.digits <= kDigitsMax) {
      scanned.coefficient = scanned.coefficient * power_of_ten(static_cast<int>(zeros + 1)) +
                            static_cast<U128>(c - '0');
    }
    zeros = 0;
  }
  scanned.exponent += zeros;
  return any;
}

bool scan_exponent(std::string_view text, std::size_t& at, Scanned& scanned) {
  bool negative = false;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) negative = text[at++] == '-';
  if (at == text.size()) return false;
  std::int64_t exponent = 0;
  for (; at < text.size(); ++at) {
    if (!is_digit(text[at])) return false;
    exponent = std::min(exponent * 10 + (text[at] - '0'), kExponentClamp);
  }
  scanned.exponent += negative ? -exponent : exponent;
  return true;
}

bool scan(std::string_view text, Scanned& scanned) {
  std::size_t at = 0;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) scanned.negative = text[at++] == '-';
  if (!scan_digits(text, at, scanned)) return false;
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return false;
    ++at;
    if (!scan_exponent(text, at, scanned)) return false;
  }
  return true;
}

}  // namespace

Number::Number(std::int64_t value) : negative_(value < 0) {
  const auto bits = static_cast<std::uint64_t>(value);
  coefficient_ = negative_ ? ~bits + 1 : bits;
  exponent_ = static_cast<std::int16_t>(trim_zeros(coefficient_));
}

int Number::leading_exponent() const { return exponent_ + count_digits(coefficient_) - 1; }

Result<Number> Number::parse(std::string_view text) {
  Scanned scanned;
  if (!scan(text, scanned)) return not_a_number(text);
  if (scanned.digits == 0) return Number{};
  const std::int64_t leading = scanned.exponent + scanned.digits - 1;
  if (leading > kLeadingExponentMax) return overflow();
  if (leading < kLeadingExponentMin) return underflow();
  if (scanned.digits > kDigitsMax) return too_many_digits();
  return Number{scanned.negative, scanned.coefficient, static_cast<int>(scanned.exponent)};
}

Result<Number> Number::normalised(bool negative, Coefficient coefficient, std::int64_t exponent) {
  if (coefficient == 0) return Number{};
  exponent += trim_zeros(coefficient);
  const int digits = count_digits(coefficient);
  const std::int64_t leading = exponent + digits - 1;
  if (leading > kLeadingExponentMax) return overflow();
  if (leading < kLeadingExponentMin) return underflow();
  if (digits > kDigitsMax) return too_many_digits();
  return Number{negative, coefficient, static_cast<int>(exponent)};
}

void Number::append_to(std::string& out) const {
  if (is_zero()) {
    out.push_back('0');
    return;
  }
  char text[kDigitsMax];
  const int digits = count_digits(coefficient_);
  write_digits(coefficient_, digits, text);
  for (int i = 0; i < digits; ++i) text[i] = static_cast<char>(text[i] + '0');
  const auto size = static_cast<std::size_t>(digits);
  if (negative_) out.push_back('-');
  if (exponent_ >= 0) {
    out.append(text, size).append(static_cast<std::size_t>(exponent_), '0');
  } else if (digits + exponent_ > 0) {
    const auto whole = static_cast<std::size_t>(digits + exponent_);
    out.append(text, whole).append(1, '.').append(text + whole, size - whole);
  } else {
    out.append("0.").append(static_cast<std::size_t>(-exponent_ - digits), '0').append(text, size);
  }
}

std::string Number::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

Result<Number> Number::add(const Number& a, const Number& b) {
  if (a.is_zero()) return b;
  if (b.is_zero()) return a;
  const bool a_is_higher = a.exponent_ >= b.exponent_;
  const Number& high = a_is_higher ? a : b;
  const Number& low = a_is_higher ? b : a;
  // The last digit of `low` isn't zero, so where the exponents differ it stays the last digit of
  // the result, and what stands 40 places or more above it can't come down to 38 digits.
  const int shift = high.exponent_ - low.exponent_;
  const int digits = count_digits(high.coefficient_) + shift;
  if (digits > kDigitsMax + 1) return too_many_digits();
  Coefficient raised = high.coefficient_;
  if (digits == kDigitsMax + 1) {
    // 39 digits: only a subtraction from 10^38 or little more can still fit. Larger ones would not
    // even fit 128 bits.
    raised *= power_of_ten(shift - 1);
    if (high.negative_ == low.negative_ || raised >= 2 * power_of_ten(kDigitsMax - 1)) {
      return too_many_digits();
    }
    raised *= 10;
  } else {
    raised *= power_of_ten(shift);
  }
  if (high.negative_ == low.negative_) {
    return normalised(high.negative_, raised + low.coefficient_, low.exponent_);
  }
  if (raised >= low.coefficient_) {
    return normalised(high.negative_, raised - low.coefficient_, low.exponent_);
  }
  return normalised(low.negative_, low.coefficient_ - raised, low.exponent_);
}

Result<Number> Number::subtract(const Number& a, const Number& b) {
  Number negated = b;
  if (!b.is_zero()) negated.negative_ = !b.negative_;
  return add(a, negated);
}

std::size_t Number::stored_size() const {
  if (is_zero()) return 1;
  const int digits = count_digits(coefficient_);
  const bool leading_alone = leading_exponent() % 2 == 0;  // "1.2" is the pairs 01 and 20
  const int pairs = (digits + (leading_alone ? 1 : 0) + 1) / 2;
  return std::min(kStoredSizeMax, static_cast<std::size_t>(1 + pairs + (negative_ ? 1 : 0)));
}

namespace {
constexpr char kNegativeClass = 0x01;
constexpr char kZeroClass = 0x02;
constexpr char kPositiveClass = 0x03;
}  // namespace

void Number::append_ordered(std::string& out) const {
  if (is_zero()) {
    out.push_back(kZeroClass);
    return;
  }
  char digits[kDigitsMax + 1];
  const int count = count_digits(coefficient_);
  write_digits(coefficient_, count, digits);
  digits[count] = 0;
  char bytes[2 + kDigitsMax / 2 + 1];
  std::size_t size = 0;
  bytes[size++] = kPositiveClass;
  bytes[size++] = static_cast<char>(exponent_ + count - 1 - kLeadingExponentMin);
  for (int i = 0; i < count; i += 2) {
    bytes[size++] = static_cast<char>(digits[i] * 10 + digits[i + 1] + 1);
  }
  bytes[size++] = 0;
  if (negative_) {
    bytes[0] = kNegativeClass;
    for (std::size_t i = 1; i < size; ++i) bytes[i] = static_cast<char>(~bytes[i]);
  }
  out.append(bytes, size);
}

Result<Number> Number::read_ordered(std::string_view& input) {
  if (input.empty()) return corrupt();
  if (input[0] == kZeroClass) {
    input.remove_prefix(1);
    return Number{};
  }
  const bool negative = input[0] == kNegativeClass;
  if (!negative && input[0] != kPositiveClass) return corrupt();
  const unsigned flip = negative ? 0xFF : 0;
  const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(input[i]) ^ flip; };
  if (input.size() < 2) return corrupt();
  const int leading = static_cast<int>(byte_at(1)) + kLeadingExponentMin;
  Coefficient coefficient = 0;
  std::size_t at = 2;
  unsigned pair = 0;
  for (;; ++at) {
    if (at == input.size()) return corrupt();
    const unsigned byte = byte_at(at);
    if (byte == 0) break;
    pair = byte - 1;
    if (pair > 99 || at == 2 + kDigitsMax / 2 || (at == 2 && pair < 10)) return corrupt();
    coefficient = coefficient * 100 + pair;
  }
  if (at == 2 || pair == 0) return corrupt();
  int digits = static_cast<int>(at - 2) * 2;
  if (pair % 10 == 0) {
    coefficient /= 10;
    --digits;
  }
  input.remove_prefix(at + 1);
  return Number{negative, coefficient, leading - digits + 1};
}

void Number::append_compact(std::string& out) const {
  const int exponent = exponent_;
  const auto zigzag = static_cast<unsigned>(exponent < 0 ? -2 * exponent - 1 : 2 * exponent);
  append_varint(out, zigzag << 1 | (negative_ ? 1U : 0U));
  Coefficient rest = coefficient_;
  for (; rest >= 0x80; rest >>= 7)
    out.push_back(static_cast<char>(static_cast<unsigned>(rest & 0x7F) | 0x80));
  out.push_back(static_cast<char>(rest));
}

Result<Number> Number::read_compact(Reader& reader) {
  const std::uint64_t head = reader.varint();
  if (!reader.ok() || head > 4096) return corrupt();
  const auto zigzag = static_cast<int>(head >> 1);
  const int exponent = zigzag % 2 != 0 ? -(zigzag + 1) / 2 : zigzag / 2;
  const bool negative = (head & 1) != 0;
  Coefficient coefficient = 0;
  for (int shift = 0;; shift += 7) {
    const std::uint8_t byte = reader.u8();
    if (!reader.ok() || (shift == 126 && byte > 3) || (shift > 0 && byte == 0)) return corrupt();
    coefficient |= static_cast<Coefficient>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) break;
  }
  if (coefficient == 0) {
    if (head != 0) return corrupt();
    return Number{};
  }
  Coefficient trimmed = coefficient;
  if (coefficient >= power_of_ten(kDigitsMax) || trim_zeros(trimmed) != 0) return corrupt();
  const Number number{negative, coefficient, exponent};
  const int leading = number.leading_exponent();
  if (leading > kLeadingExponentMax || leading < kLeadingExponentMin) return corrupt();
  return number;
}

std::strong_ordering Number::operator<=>(const Number& other) const {
  const auto sign = [](const Number& n) { return n.is_zero() ? 0 : n.negative_ ? -1 : 1; };
  const int own_sign = sign(*this);
  if (const auto order = own_sign <=> sign(other); order != 0 || own_sign == 0) return order;
  const Number& small =
      own_sign > 0 ? *this : other;  // of two negatives the larger magnitude is less
  const Number& large = own_sign > 0 ? other : *this;
  const int left_digits = count_digits(small.coefficient_);
  const int right_digits = count_digits(large.coefficient_);
  const int left_leading = small.exponent_ + left_digits;
  const int right_leading = large.exponent_ + right_digits;
  if (left_leading != right_leading) return left_leading <=> right_leading;
  // Both below 10^38 after being raised to the same number of digits.
  Coefficient left = small.coefficient_;
  Coefficient right = large.coefficient_;
  if (left_digits < right_digits) left *= power_of_ten(right_digits - left_digits);
  if (right_digits < left_digits) right *= power_of_ten(left_digits - right_digits);
  if (left == right) return std::strong_ordering::equal;
  return left < right ? std::strong_ordering::less : std::strong_ordering::greater;
}

}  // namespace pawl::item
