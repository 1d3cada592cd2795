// Conditions as they are evaluated: checked, with every placeholder replaced.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "expression/expression.h"
#include "expression/name_check.h"
#include "expression/operand.h"
#include "expression/resolver.h"
#include "expression/syntax_tree.h"

namespace pawl::expression {

struct Condition::Node {
  // kFunction: attribute_exists and the other functions that are conditions.
  enum class Kind { kAnd, kOr, kNot, kCompare, kBetween, kIn, kFunction };
  Kind kind = Kind::kAnd;
  Comparator comparator = Comparator::kEqual;      // kCompare
  Function function = Function::kAttributeExists;  // kFunction
  item::Type wanted_type = item::Type::kString;    // attribute_type
  std::vector<Operand> operands;                   // in the order of the text
  std::vector<Node> children;                      // kAnd, kOr: two; kNot: one
};

// Condition::parse without what is of conditions alone: also for key conditions.
Result<Condition::Node> parse_condition(std::string_view text, ExpressionKind kind,
                                        Placeholders& placeholders);

// Adds the names of the attributes that `node` reads, and of those that it reads only a part of.
void collect_attributes(const Condition::Node& node, AttributeNames& attributes,
                        AttributeNames& nested);

// Whether `node` holds for `item`. Nesting is bounded by kOperatorsMax.
bool holds(const Condition::Node& node, const item::Item& item);

}  // namespace pawl::expression
