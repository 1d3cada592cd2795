// The grammar of conditions, filters and key conditions. In order of binding, tightest first:
// comparisons, BETWEEN and IN; NOT; AND; OR.
#pragma once

#include "expression/parser.h"

namespace pawl::expression {

class ConditionParser : public Parser {
 public:
  ConditionParser(ExpressionKind kind, std::string_view text) : Parser(kind, text) {}

  // The root of the tree; kNoNode if status() is an error.
  NodeId parse();

 private:
  NodeId expression(int binding_min);
  NodeId prefix();
  NodeId comparison(NodeId left, Comparator comparator);
  NodeId between(NodeId left);
  NodeId in(NodeId left);
  NodeId connective(NodeId left, NodeKind kind, int binding);
  bool can_be_operand(NodeId id) const;
  bool can_be_condition(NodeId id) const;
};

}  // namespace pawl::expression
