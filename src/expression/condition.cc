#include "expression/condition_node.h"

namespace pawl::expression {
namespace {

void collect_attributes(const Condition::Node& node, std::set<std::string, std::less<>>& names) {
  for (const Operand& operand : node.operands) {
    if (operand.kind != Operand::Kind::kValue) names.insert(operand.path.attribute());
  }
  for (const Condition::Node& child : node.children) collect_attributes(child, names);
}

}  // namespace

Result<Condition> Condition::parse(std::string_view text, Kind kind, Placeholders& placeholders) {
  PAWL_ASSIGN_OR_RETURN(
      Node root,
      parse_condition(text,
                      kind == Kind::kFilter ? ExpressionKind::kFilter : ExpressionKind::kCondition,
                      placeholders));
  Condition condition;
  collect_attributes(root, condition.attributes_);
  condition.root_ = std::make_shared<const Node>(std::move(root));
  return condition;
}

Result<bool> Condition::holds(const item::Item& item) const {
  return expression::holds(*root_, item);
}

const std::set<std::string, std::less<>>& Condition::attributes() const { return attributes_; }

}  // namespace pawl::expression
