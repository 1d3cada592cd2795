// From the syntax tree to paths and values: puts the placeholders in, and counts operators.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "expression/expression.h"
#include "expression/messages.h"
#include "expression/path.h"
#include "expression/syntax_tree.h"

namespace pawl::expression {

// No operator takes the same attribute as its first operand and as another one.
Error first_not_distinct(ExpressionKind kind, std::string_view operation, const Path& first);

class Resolver {
 public:
  // Both must outlive the resolver.
  Resolver(ExpressionKind kind, const SyntaxTree& tree, Placeholders& placeholders)
      : kind_(kind), tree_(tree), placeholders_(placeholders) {}

  ExpressionKind kind() const { return kind_; }
  const SyntaxTree& tree() const { return tree_; }

  // Of a kPath node. Errors: too deep, or a name that is not defined.
  Result<Path> path(NodeId id) const;
  // Of a kValue node. Errors: a value that is not defined.
  Result<std::shared_ptr<const item::Value>> value(NodeId id) const;
  // For each operator and function, after its operands. Errors: more than kOperatorsMax of them.
  Status count_operator();
  // Errors: a function with another number of operands.
  Status check_operand_count(NodeId function, std::size_t expected) const;

 private:
  ExpressionKind kind_;
  const SyntaxTree& tree_;
  Placeholders& placeholders_;
  std::size_t operators_ = 0;
};

}  // namespace pawl::expression
