#include "expression/parser.h"

#include "expression/expression.h"

namespace pawl::expression {

std::string_view name_of(Comparator comparator) {
  switch (comparator) {
    case Comparator::kEqual:
      return "=";
    case Comparator::kNotEqual:
      return "<>";
    case Comparator::kLess:
      return "<";
    case Comparator::kLessEqual:
      return "<=";
    case Comparator::kGreater:
      return ">";
    case Comparator::kGreaterEqual:
      return ">=";
  }
  return "=";
}

Parser::Parser(ExpressionKind kind, std::string_view text)
    : kind_(kind), text_(text), lexer_(text) {
  if (text.empty()) {
    fail("The expression can not be empty;");
    return;
  }
  if (text.size() > kExpressionSizeMax) {
    std::string message = "Expression size has exceeded the maximum allowed size;";
    // Conditions of all kinds say how large; updates and projections do not.
    if (kind != ExpressionKind::kUpdate && kind != ExpressionKind::kProjection) {
      message += " expression size: " + std::to_string(text.size());
    }
    fail(message);
    return;
  }
  current_ = lexer_.next();
}

Status Parser::status() const {
  if (error_) return *error_;
  return ok();
}

void Parser::fail(std::string_view message) {
  if (!error_) error_ = invalid(kind_, message);
}

void Parser::fail_syntax() {
  if (error_) return;
  const Token following = current_.kind == TokenKind::kEnd ? current_ : lexer_.next();
  const std::size_t begin = at_first_token_ ? 0 : previous_.begin;
  std::string message = "Syntax error; token: \"";
  message += current_.kind == TokenKind::kEnd ? std::string_view("<EOF>") : current_text();
  message += "\", near: \"";
  message += text_.substr(begin, following.end - begin);
  message += '"';
  fail(message);
}

void Parser::fail_too_deep() {
  // Whatever nests this deep has too many operators, unless it is wrong in another way as well.
  fail("The expression contains too many operators; operator count: " +
       std::to_string(kOperatorsMax + 1));
}

void Parser::fail_redundant() { fail("The expression has redundant parentheses;"); }

void Parser::advance() {
  if (redundant_parentheses_ && function_level_ == 0) fail_redundant();
  previous_ = current_;
  at_first_token_ = false;
  current_ = lexer_.next();
}

void Parser::expect_end() {
  if (failed()) return;
  if (current() != TokenKind::kEnd) {
    fail_syntax();
  } else if (redundant_parentheses_) {
    fail_redundant();
  }
}

bool Parser::expect(TokenKind kind) {
  if (failed()) return false;
  if (current() != kind) {
    fail_syntax();
    return false;
  }
  advance();
  return true;
}

NodeId Parser::path() {
  if (failed()) return kNoNode;
  if (current() != TokenKind::kName && current() != TokenKind::kNamePlaceholder) {
    fail_syntax();
    return kNoNode;
  }
  SyntaxNode node;
  node.kind = NodeKind::kPath;
  node.parts_begin = tree_.part_count();
  tree_.add_part({current_text(), false});
  advance();
  path_steps();
  node.parts_end = tree_.part_count();
  return tree_.add(node);
}

void Parser::path_steps() {
  while (!failed()) {
    if (current() == TokenKind::kDot) {
      advance();
      if (current() != TokenKind::kName && current() != TokenKind::kNamePlaceholder) {
        fail_syntax();
        return;
      }
      tree_.add_part({current_text(), false});
      advance();
    } else if (current() == TokenKind::kOpenBracket) {
      advance();
      const std::string_view index = current_text();
      if (!expect(TokenKind::kNumber)) return;
      tree_.add_part({index, true});
      if (!expect(TokenKind::kCloseBracket)) return;
    } else {
      return;
    }
  }
}

NodeId Parser::leaf(NodeKind kind) {
  SyntaxNode node;
  node.kind = kind;
  node.text = current_text();
  advance();
  return tree_.add(node);
}

NodeId Parser::plain_operand() {
  if (failed()) return kNoNode;
  if (current() == TokenKind::kValuePlaceholder) return leaf(NodeKind::kValue);
  if (current() != TokenKind::kName) return path();

  // A name is a function if a parenthesis follows, and the start of a path otherwise.
  const std::string_view name = current_text();
  advance();
  if (current() == TokenKind::kOpenParenthesis) return function(name);
  SyntaxNode node;
  node.kind = NodeKind::kPath;
  node.parts_begin = tree_.part_count();
  tree_.add_part({name, false});
  path_steps();
  node.parts_end = tree_.part_count();
  return tree_.add(node);
}

NodeId Parser::function(std::string_view name) {
  const Level level(*this);
  ++function_level_;
  SyntaxNode node;
  node.kind = NodeKind::kFunction;
  node.text = name;
  const NodeId id = tree_.add(node);
  advance();
  while (!failed()) {
    const NodeId argument = operand();
    if (failed()) break;
    tree_.add_child(id, argument);
    if (current() != TokenKind::kComma) break;
    advance();
  }
  expect(TokenKind::kCloseParenthesis);
  --function_level_;
  return id;
}

NodeId Parser::operand() {
  if (failed()) return kNoNode;
  if (current() != TokenKind::kOpenParenthesis) return plain_operand();
  const Level level(*this);
  advance();
  const NodeId inner = operand();
  expect(TokenKind::kCloseParenthesis);
  parenthesise(inner, Redundancy::kAtOnce);
  return inner;
}

void Parser::parenthesise(NodeId id, Redundancy redundancy) {
  if (failed() || id == kNoNode) return;
  SyntaxNode& node = tree_.at(id);
  if (node.parenthesised) {
    redundant_parentheses_ = true;
    // A function call is read to its end before any of it is judged.
    if (redundancy == Redundancy::kAtOnce && function_level_ == 0) fail_redundant();
  }
  node.parenthesised = true;
}

}  // namespace pawl::expression
