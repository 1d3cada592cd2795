#include "expression/condition_node.h"

namespace pawl::expression {
void collect_attributes(const Condition::Node& node, AttributeNames& attributes,
                        AttributeNames& nested) {
  for (const Operand& operand : node.operands) {
    if (operand.kind == Operand::Kind::kValue) continue;
    attributes.insert(operand.path.attribute());
    if (operand.path.elements.size() > 1) nested.insert(operand.path.attribute());
  }
  for (const Condition::Node& child : node.children) {
    collect_attributes(child, attributes, nested);
  }
}

Result<Condition> Condition::parse(std::string_view text, Kind kind, Placeholders& placeholders) {
  PAWL_ASSIGN_OR_RETURN(
      Node root,
      parse_condition(text,
                      kind == Kind::kFilter ? ExpressionKind::kFilter : ExpressionKind::kCondition,
                      placeholders));
  Condition condition;
  collect_attributes(root, condition.attributes_, condition.nested_attributes_);
  condition.root_ = std::make_shared<const Node>(std::move(root));
  return condition;
}

Result<bool> Condition::holds(const item::Item& item) const {
  return expression::holds(*root_, item);
}

const AttributeNames& Condition::attributes() const { return attributes_; }

}  // namespace pawl::expression
