#include "expression/name_check.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/assert.h"
#include "expression/reserved_words.h"

namespace pawl::expression {
namespace {

constexpr std::size_t kListIndexDigitsMax = 10;

constexpr std::array<std::pair<std::string_view, Function>, 8> kFunctions = {{
    {"attribute_exists", Function::kAttributeExists},
    {"attribute_not_exists", Function::kAttributeNotExists},
    {"attribute_type", Function::kAttributeType},
    {"begins_with", Function::kBeginsWith},
    {"contains", Function::kContains},
    {"size", Function::kSize},
    {"if_not_exists", Function::kIfNotExists},
    {"list_append", Function::kListAppend},
}};

std::optional<Function> find_function(std::string_view name) {
  for (const auto& [text, function] : kFunctions) {
    if (text == name) return function;
  }
  return std::nullopt;
}

bool is_update_function(Function function) {
  return function == Function::kIfNotExists || function == Function::kListAppend;
}

bool may_stand(Function function, Position position) {
  switch (position) {
    case Position::kCondition:
      return function != Function::kSize;
    case Position::kOperand:
      return function == Function::kSize;
    case Position::kSetValue:
      return true;
    case Position::kSetOperand:
      return function == Function::kIfNotExists;
  }
  return false;
}

Status check_function(ExpressionKind kind, std::string_view name, Position position) {
  const auto fault = [&](std::string_view what) {
    return invalid(kind, std::string(what) + "; function: " + std::string(name));
  };
  const auto function = find_function(name);
  if (!function) return fault("Invalid function name");
  const bool in_update = position == Position::kSetValue || position == Position::kSetOperand;
  if (is_update_function(*function) != in_update) {
    return fault(in_update ? "The function is not allowed in an update expression"
                           : "The function is not allowed in a condition expression");
  }
  if (!may_stand(*function, position)) {
    return fault("The function is not allowed to be used this way in an expression");
  }
  return ok();
}

Status check_path(ExpressionKind kind, const SyntaxTree& tree, const SyntaxNode& node) {
  for (std::uint32_t i = node.parts_begin; i < node.parts_end; ++i) {
    const PathPart& part = tree.part(i);
    if (part.is_index) {
      // 4,096 bytes of digits fit no integer: the length decides first.
      std::uint64_t index = 0;
      (void)std::from_chars(part.text.data(), part.text.data() + part.text.size(), index);
      if (part.text.size() > kListIndexDigitsMax || index > kListIndexMax) {
        return invalid(kind, "List index is not within the allowable range; index: [" +
                                 std::string(part.text) + "]");
      }
    } else if (is_reserved_word(part.text)) {
      return invalid(kind, "Attribute name is a reserved keyword; reserved keyword: " +
                               std::string(part.text));
    }
  }
  return ok();
}

Position position_of_children(NodeKind kind, Position position) {
  switch (kind) {
    case NodeKind::kAnd:
    case NodeKind::kOr:
    case NodeKind::kNot:
      return Position::kCondition;
    case NodeKind::kPlus:
    case NodeKind::kMinus:
      return Position::kSetOperand;
    case NodeKind::kFunction:
      return position == Position::kSetValue || position == Position::kSetOperand
                 ? Position::kSetOperand
                 : Position::kOperand;
    default:
      return Position::kOperand;
  }
}

}  // namespace

Function function_named(std::string_view name) {
  const auto function = find_function(name);
  PAWL_ASSERT(function.has_value());
  return *function;
}

Status check_names(ExpressionKind kind, const SyntaxTree& tree, NodeId id, Position position) {
  const SyntaxNode& node = tree.at(id);
  if (node.kind == NodeKind::kValue) return ok();
  if (node.kind == NodeKind::kPath) return check_path(kind, tree, node);
  if (node.kind == NodeKind::kFunction) PAWL_TRY(check_function(kind, node.text, position));
  const Position below = position_of_children(node.kind, position);
  for (NodeId child = node.first_child; child != kNoNode; child = tree.at(child).next) {
    PAWL_TRY(check_names(kind, tree, child, below));
  }
  return ok();
}

}  // namespace pawl::expression
