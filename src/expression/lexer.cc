#include "expression/lexer.h"

namespace pawl::expression {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// `word` against a keyword in upper case.
bool equals_keyword(std::string_view word, std::string_view keyword) {
  if (word.size() != keyword.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    // Only letters reach here with this bit pattern: the keywords are letters alone.
    if ((word[i] & ~0x20) != keyword[i]) return false;
  }
  return true;
}

TokenKind kind_of_word(std::string_view word) {
  switch (word.size()) {
    case 2:
      if (equals_keyword(word, "OR")) return TokenKind::kOr;
      if (equals_keyword(word, "IN")) return TokenKind::kIn;
      break;
    case 3:
      if (equals_keyword(word, "AND")) return TokenKind::kAnd;
      if (equals_keyword(word, "NOT")) return TokenKind::kNot;
      if (equals_keyword(word, "SET")) return TokenKind::kSet;
      if (equals_keyword(word, "ADD")) return TokenKind::kAdd;
      break;
    case 6:
      if (equals_keyword(word, "REMOVE")) return TokenKind::kRemove;
      if (equals_keyword(word, "DELETE")) return TokenKind::kDelete;
      break;
    case 7:
      if (equals_keyword(word, "BETWEEN")) return TokenKind::kBetween;
      break;
    default:
      break;
  }
  return TokenKind::kName;
}

// Bytes of the UTF-8 character that starts with `lead`; 1 for what can start none.
std::size_t character_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte >= 0xF0) return 4;
  if (byte >= 0xE0) return 3;
  if (byte >= 0xC0) return 2;
  return 1;
}

}  // namespace

bool is_word_character(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

Token Lexer::next() {
  while (position_ < text_.size() && is_space(text_[position_])) ++position_;
  const std::size_t begin = position_;
  if (begin == text_.size()) return Token{TokenKind::kEnd, begin, begin};
  Token token = (is_letter(text_[begin]) || is_digit(text_[begin]) || text_[begin] == '#' ||
                 text_[begin] == ':')
                    ? word(begin)
                    : symbol(begin);
  position_ = token.end;
  return token;
}

Token Lexer::word(std::size_t begin) {
  const char first = text_[begin];
  std::size_t end = begin + 1;
  if (is_digit(first)) {
    while (first != '0' && end < text_.size() && is_digit(text_[end])) ++end;
    return Token{TokenKind::kNumber, begin, end};
  }
  while (end < text_.size() && is_word_character(text_[end])) ++end;
  if (is_letter(first)) {
    return Token{kind_of_word(text_.substr(begin, end - begin)), begin, end};
  }
  if (end == begin + 1) return Token{TokenKind::kUnknown, begin, end};
  return Token{first == '#' ? TokenKind::kNamePlaceholder : TokenKind::kValuePlaceholder, begin,
               end};
}

Token Lexer::symbol(std::size_t begin) {
  const auto one = [begin](TokenKind kind) { return Token{kind, begin, begin + 1}; };
  const auto two = [begin](TokenKind kind) { return Token{kind, begin, begin + 2}; };
  const char second = begin + 1 < text_.size() ? text_[begin + 1] : '\0';
  switch (text_[begin]) {
    case '.':
      return one(TokenKind::kDot);
    case ',':
      return one(TokenKind::kComma);
    case '(':
      return one(TokenKind::kOpenParenthesis);
    case ')':
      return one(TokenKind::kCloseParenthesis);
    case '[':
      return one(TokenKind::kOpenBracket);
    case ']':
      return one(TokenKind::kCloseBracket);
    case '=':
      return one(TokenKind::kEqual);
    case '+':
      return one(TokenKind::kPlus);
    case '-':
      return one(TokenKind::kMinus);
    case '<':
      if (second == '>') return two(TokenKind::kNotEqual);
      if (second == '=') return two(TokenKind::kLessEqual);
      return one(TokenKind::kLess);
    case '>':
      if (second == '=') return two(TokenKind::kGreaterEqual);
      return one(TokenKind::kGreater);
    default:
      break;
  }
  std::size_t end = begin + character_size(text_[begin]);
  if (end > text_.size()) end = text_.size();
  return Token{TokenKind::kUnknown, begin, end};
}

}  // namespace pawl::expression
