#include "expression/condition_parser.h"

#include <optional>

namespace pawl::expression {
namespace {

constexpr int kBindingOr = 1;
constexpr int kBindingAnd = 2;
constexpr int kBindingNot = 3;

std::optional<Comparator> comparator_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEqual:
      return Comparator::kEqual;
    case TokenKind::kNotEqual:
      return Comparator::kNotEqual;
    case TokenKind::kLess:
      return Comparator::kLess;
    case TokenKind::kLessEqual:
      return Comparator::kLessEqual;
    case TokenKind::kGreater:
      return Comparator::kGreater;
    case TokenKind::kGreaterEqual:
      return Comparator::kGreaterEqual;
    default:
      return std::nullopt;
  }
}

}  // namespace

NodeId ConditionParser::parse() {
  const NodeId root = expression(0);
  if (failed()) return kNoNode;
  if (!can_be_condition(root)) fail_syntax();
  expect_end();
  return status().ok() ? root : kNoNode;
}

// After "(" it is not yet known whether an operand or a condition follows, so both are read here,
// and whatever comes next decides: a comparison wants an operand on its left, AND a condition. A
// function can be either.
bool ConditionParser::can_be_operand(NodeId id) const {
  const NodeKind kind = tree().at(id).kind;
  return kind == NodeKind::kPath || kind == NodeKind::kValue || kind == NodeKind::kFunction;
}

bool ConditionParser::can_be_condition(NodeId id) const {
  const NodeKind kind = tree().at(id).kind;
  return kind != NodeKind::kPath && kind != NodeKind::kValue;
}

NodeId ConditionParser::expression(int binding_min) {
  const Level level(*this);
  NodeId left = prefix();
  while (!failed()) {
    if (const auto comparator = comparator_of(current()); comparator && can_be_operand(left)) {
      left = comparison(left, *comparator);
    } else if (current() == TokenKind::kBetween && can_be_operand(left)) {
      left = between(left);
    } else if (current() == TokenKind::kIn && can_be_operand(left)) {
      left = in(left);
    } else if (current() == TokenKind::kAnd && kBindingAnd >= binding_min &&
               can_be_condition(left)) {
      left = connective(left, NodeKind::kAnd, kBindingAnd);
    } else if (current() == TokenKind::kOr && kBindingOr >= binding_min && can_be_condition(left)) {
      left = connective(left, NodeKind::kOr, kBindingOr);
    } else {
      break;
    }
  }
  return failed() ? kNoNode : left;
}

NodeId ConditionParser::prefix() {
  if (failed()) return kNoNode;
  if (current() == TokenKind::kNot) {
    advance();
    const NodeId inner = expression(kBindingNot);
    if (failed()) return kNoNode;
    if (!can_be_condition(inner)) {
      fail_syntax();
      return kNoNode;
    }
    SyntaxNode node;
    node.kind = NodeKind::kNot;
    const NodeId id = tree().add(node);
    tree().add_child(id, inner);
    return id;
  }
  if (current() == TokenKind::kOpenParenthesis) {
    advance();
    const NodeId inner = expression(0);
    expect(TokenKind::kCloseParenthesis);
    if (failed()) return kNoNode;
    parenthesise(inner, can_be_condition(inner) ? Redundancy::kAtOnce : Redundancy::kReadOn);
    return inner;
  }
  return plain_operand();
}

NodeId ConditionParser::comparison(NodeId left, Comparator comparator) {
  advance();
  const NodeId right = operand();
  if (failed()) return kNoNode;
  SyntaxNode node;
  node.kind = NodeKind::kCompare;
  node.comparator = comparator;
  const NodeId id = tree().add(node);
  tree().add_child(id, left);
  tree().add_child(id, right);
  return id;
}

NodeId ConditionParser::between(NodeId left) {
  advance();
  const NodeId lower = operand();
  expect(TokenKind::kAnd);
  const NodeId upper = operand();
  if (failed()) return kNoNode;
  SyntaxNode node;
  node.kind = NodeKind::kBetween;
  const NodeId id = tree().add(node);
  tree().add_child(id, left);
  tree().add_child(id, lower);
  tree().add_child(id, upper);
  return id;
}

NodeId ConditionParser::in(NodeId left) {
  advance();
  expect(TokenKind::kOpenParenthesis);
  SyntaxNode node;
  node.kind = NodeKind::kIn;
  const NodeId id = tree().add(node);
  tree().add_child(id, left);
  while (!failed()) {
    const NodeId candidate = operand();
    if (failed()) break;
    tree().add_child(id, candidate);
    if (current() != TokenKind::kComma) break;
    advance();
  }
  expect(TokenKind::kCloseParenthesis);
  return failed() ? kNoNode : id;
}

NodeId ConditionParser::connective(NodeId left, NodeKind kind, int binding) {
  advance();
  const NodeId right = expression(binding + 1);
  if (failed()) return kNoNode;
  if (!can_be_condition(right)) {
    fail_syntax();
    return kNoNode;
  }
  SyntaxNode node;
  node.kind = kind;
  const NodeId id = tree().add(node);
  tree().add_child(id, left);
  tree().add_child(id, right);
  return id;
}

}  // namespace pawl::expression
