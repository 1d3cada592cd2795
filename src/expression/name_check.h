// The checks on a whole tree that need no placeholder and come before any that does: reserved
// words, function names and where they may stand, list indexes.
#pragma once

#include <string_view>

#include "base/result.h"
#include "expression/messages.h"
#include "expression/syntax_tree.h"

namespace pawl::expression {

inline constexpr std::size_t kListIndexMax = 2147483647;

enum class Function {
  kAttributeExists,
  kAttributeNotExists,
  kAttributeType,
  kBeginsWith,
  kContains,
  kSize,
  kIfNotExists,
  kListAppend,
};

// What `name` means; the caller has checked it with check_names(). Names are case-sensitive.
Function function_named(std::string_view name);

// Where a node stands, which decides the functions that it may be.
enum class Position {
  kCondition,  // the whole of a condition, or an operand of AND, OR, NOT
  kOperand,    // of a comparison or of a function in a condition
  kSetValue,   // the whole right-hand side of a SET action
  kSetOperand  // of + or -, or of a function in an update
};

// Errors: the first offence in the order of the text.
Status check_names(ExpressionKind kind, const SyntaxTree& tree, NodeId node, Position position);

}  // namespace pawl::expression
