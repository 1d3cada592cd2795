// Text of an expression to tokens, one at a time and without allocating.
//
// Keywords are recognised in any case, wherever they stand: an attribute named "set" or "in" needs
// a placeholder. Whatever is no token (a quote, a lone "#", a byte that is not ASCII) becomes
// kUnknown, one character long, so that the parser can point at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pawl::expression {

enum class TokenKind : std::uint8_t {
  kEnd,
  kUnknown,
  kName,              // letter, then letters, digits and _
  kNamePlaceholder,   // "#" and letters, digits and _
  kValuePlaceholder,  // ":" and letters, digits and _
  kNumber,            // an index: "0", or digits that do not start with 0
  kDot,
  kComma,
  kOpenParenthesis,
  kCloseParenthesis,
  kOpenBracket,
  kCloseBracket,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kPlus,
  kMinus,
  kAnd,
  kOr,
  kNot,
  kBetween,
  kIn,
  kSet,
  kRemove,
  kAdd,
  kDelete,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t begin = 0;  // bytes from the start of the text
  std::size_t end = 0;
};

class Lexer {
 public:
  // The text must outlive the lexer.
  explicit Lexer(std::string_view text) : text_(text) {}

  // kEnd, with begin and end at the end of the text, for ever after the last token.
  Token next();

 private:
  Token word(std::size_t begin);
  Token symbol(std::size_t begin);

  std::string_view text_;
  std::size_t position_ = 0;
};

// Letters, digits and _: what names and placeholders are made of.
bool is_word_character(char c);

}  // namespace pawl::expression
