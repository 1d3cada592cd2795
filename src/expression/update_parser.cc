#include "expression/update_parser.h"

#include <optional>

namespace pawl::expression {
namespace {

std::optional<Clause> clause_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::kSet:
      return Clause::kSet;
    case TokenKind::kRemove:
      return Clause::kRemove;
    case TokenKind::kAdd:
      return Clause::kAdd;
    case TokenKind::kDelete:
      return Clause::kDelete;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string_view name_of(Clause clause) {
  switch (clause) {
    case Clause::kSet:
      return "SET";
    case Clause::kRemove:
      return "REMOVE";
    case Clause::kAdd:
      return "ADD";
    case Clause::kDelete:
      return "DELETE";
  }
  return "SET";
}

std::vector<ParsedAction> UpdateParser::parse() {
  std::vector<ParsedAction> actions;
  std::uint32_t section = 0;
  do {
    const auto clause = clause_of(current());
    if (failed() || !clause) {
      fail_syntax();
      break;
    }
    ++section;
    do {
      advance();  // the keyword, or a comma
      ParsedAction parsed = action(*clause);
      parsed.section = section;
      actions.push_back(parsed);
    } while (!failed() && current() == TokenKind::kComma);
  } while (!failed() && current() != TokenKind::kEnd);
  expect_end();
  return actions;
}

ParsedAction UpdateParser::action(Clause clause) {
  ParsedAction parsed;
  parsed.clause = clause;
  parsed.path = path();
  switch (clause) {
    case Clause::kSet:
      if (expect(TokenKind::kEqual)) parsed.value = set_value();
      break;
    case Clause::kRemove:
      break;
    case Clause::kAdd:
    case Clause::kDelete:
      if (failed()) break;
      if (current() == TokenKind::kValuePlaceholder) {
        parsed.value = plain_operand();
      } else {
        fail_syntax();
      }
      break;
  }
  return parsed;
}

bool UpdateParser::is_arithmetic(NodeId id) const {
  const NodeKind kind = tree().at(id).kind;
  return kind == NodeKind::kPlus || kind == NodeKind::kMinus;
}

// value := operand [ ("+" | "-") operand ] | "(" value ")"
// After "(" either may come: what was in parentheses and is no sum may still become the left
// operand of one.
NodeId UpdateParser::set_value() {
  if (failed()) return kNoNode;
  const Level level(*this);
  NodeId left = kNoNode;
  if (current() == TokenKind::kOpenParenthesis) {
    advance();
    left = set_value();
    expect(TokenKind::kCloseParenthesis);
    parenthesise(left, Redundancy::kAtOnce);
  } else {
    left = plain_operand();
  }
  if (failed() || is_arithmetic(left)) return left;
  if (current() != TokenKind::kPlus && current() != TokenKind::kMinus) return left;
  SyntaxNode node;
  node.kind = current() == TokenKind::kPlus ? NodeKind::kPlus : NodeKind::kMinus;
  advance();
  const NodeId right = operand();
  if (failed()) return kNoNode;
  const NodeId id = tree().add(node);
  tree().add_child(id, left);
  tree().add_child(id, right);
  return id;
}

}  // namespace pawl::expression
