// From the syntax tree of a condition to Condition::Node: everything that can be wrong with a
// condition before there is an item. Each node is checked after its operands, in the order of the
// text.
#include <optional>
#include <string>
#include <utility>

#include "expression/condition_node.h"
#include "expression/condition_parser.h"
#include "expression/order.h"

namespace pawl::expression {
namespace {

using Kind = Condition::Node::Kind;

constexpr std::size_t kInOperandsMax = 100;

bool is_given(const Operand& operand) {
  return operand.kind == Operand::Kind::kValue && !operand.computed;
}

bool has_order(item::Type type) {
  return type == item::Type::kString || type == item::Type::kNumber || type == item::Type::kBinary;
}

class Builder {
 public:
  explicit Builder(Resolver& resolver) : resolver_(resolver) {}

  Result<Condition::Node> build(NodeId id) {
    const NodeKind kind = tree().at(id).kind;
    if (kind == NodeKind::kAnd || kind == NodeKind::kOr || kind == NodeKind::kNot) {
      return connective(id);
    }
    Condition::Node node;
    for (NodeId child = tree().at(id).first_child; child != kNoNode;
         child = tree().at(child).next) {
      PAWL_ASSIGN_OR_RETURN(Operand operand, make_operand(resolver_, child));
      node.operands.push_back(std::move(operand));
    }
    PAWL_TRY(resolver_.count_operator());
    switch (kind) {
      case NodeKind::kCompare:
        PAWL_TRY(comparison(id, node));
        break;
      case NodeKind::kBetween:
        PAWL_TRY(between(node));
        break;
      case NodeKind::kIn:
        PAWL_TRY(in(node));
        break;
      default:
        PAWL_TRY(function(id, node));
        break;
    }
    return node;
  }

 private:
  const SyntaxTree& tree() const { return resolver_.tree(); }
  Error fault(std::string_view message) const { return invalid(resolver_.kind(), message); }

  Result<Condition::Node> connective(NodeId id) {
    Condition::Node node;
    const NodeKind kind = tree().at(id).kind;
    node.kind = kind == NodeKind::kAnd  ? Kind::kAnd
                : kind == NodeKind::kOr ? Kind::kOr
                                        : Kind::kNot;
    for (NodeId child = tree().at(id).first_child; child != kNoNode;
         child = tree().at(child).next) {
      PAWL_ASSIGN_OR_RETURN(Condition::Node built, build(child));
      node.children.push_back(std::move(built));
    }
    PAWL_TRY(resolver_.count_operator());
    return node;
  }

  Status comparison(NodeId id, Condition::Node& node) {
    node.kind = Kind::kCompare;
    node.comparator = tree().at(id).comparator;
    const std::string_view name = name_of(node.comparator);
    PAWL_TRY(check_first_distinct(name, node));
    if (node.comparator == Comparator::kEqual || node.comparator == Comparator::kNotEqual) {
      return ok();
    }
    return check_ordered(name, node);
  }

  Status between(Condition::Node& node) {
    node.kind = Kind::kBetween;
    PAWL_TRY(check_first_distinct("BETWEEN", node));
    PAWL_TRY(check_ordered("BETWEEN", node));
    const Operand& lower = node.operands[1];
    const Operand& upper = node.operands[2];
    if (!is_given(lower) || !is_given(upper)) return ok();
    const auto bounds = [&] {
      return "lower bound operand: " + describe(*lower.value) +
             ", upper bound operand: " + describe(*upper.value);
    };
    if (lower.value->type() != upper.value->type()) {
      return fault("The BETWEEN operator requires same data type for lower and upper bounds; " +
                   bounds());
    }
    if (order_of(*lower.value, *upper.value) == std::strong_ordering::greater) {
      return fault(
          "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; " +
          bounds());
    }
    return ok();
  }

  Status in(Condition::Node& node) {
    node.kind = Kind::kIn;
    const std::size_t candidates = node.operands.size() - 1;
    if (candidates > kInOperandsMax) {
      return fault("The IN operator is provided with too many operands; number of operands: " +
                   std::to_string(candidates));
    }
    return check_first_distinct("IN", node);
  }

  Status function(NodeId id, Condition::Node& node) {
    const std::string_view name = tree().at(id).text;
    node.kind = Kind::kFunction;
    node.function = function_named(name);
    if (node.function == Function::kAttributeExists ||
        node.function == Function::kAttributeNotExists) {
      PAWL_TRY(resolver_.check_operand_count(id, 1));
      if (node.operands[0].kind == Operand::Kind::kPath) return ok();
      return fault("Operator or function requires a document path; operator or function: " +
                   std::string(name));
    }
    PAWL_TRY(resolver_.check_operand_count(id, 2));
    PAWL_TRY(check_first_distinct(name, node));
    if (node.function == Function::kAttributeType) return attribute_type(node);
    if (node.function == Function::kBeginsWith) return begins_with(node);
    return ok();
  }

  Status begins_with(const Condition::Node& node) const {
    for (const Operand& operand : node.operands) {
      const auto type = operand.known_type();
      if (type && *type != item::Type::kString && *type != item::Type::kBinary) {
        return incorrect_type(resolver_.kind(), "begins_with", item::name_of(*type));
      }
    }
    return ok();
  }

  Status attribute_type(Condition::Node& node) const {
    const Operand& wanted = node.operands[1];
    const auto type = wanted.known_type();
    if (!type) {
      // Word for word what the service says about an attribute in this place.
      return incorrect_type(resolver_.kind(), "attribute_type",
                            "{NS,L,DICT,B,FLOAT,HD,BS,SS,S,M,INT,DECIMALSET,HDS,DOUBLESET,FS,"
                            "DECIMAL,BOOL,NULL,DOUBLE,N,INTSET}");
    }
    if (*type != item::Type::kString) {
      return incorrect_type(resolver_.kind(), "attribute_type", item::name_of(*type));
    }
    const std::string& name = wanted.value->as<item::String>().text;
    for (int i = 0; i <= static_cast<int>(item::Type::kMap); ++i) {
      if (item::name_of(static_cast<item::Type>(i)) == name) {
        node.wanted_type = static_cast<item::Type>(i);
        return ok();
      }
    }
    return fault("Invalid attribute type name found; type: " + name +
                 ", valid types: {N,BS,L,B,NULL,M,S,SS,NS,BOOL}");
  }

  // No operator compares an attribute with itself.
  Status check_first_distinct(std::string_view name, const Condition::Node& node) const {
    const Operand& first = node.operands.front();
    if (first.kind != Operand::Kind::kPath) return ok();
    for (std::size_t i = 1; i < node.operands.size(); ++i) {
      if (node.operands[i].kind == Operand::Kind::kPath && node.operands[i].path == first.path) {
        return first_not_distinct(resolver_.kind(), name, first.path);
      }
    }
    return ok();
  }

  Status check_ordered(std::string_view name, const Condition::Node& node) const {
    for (const Operand& operand : node.operands) {
      const auto type = operand.known_type();
      if (type && !has_order(*type)) {
        return incorrect_type(resolver_.kind(), name, item::name_of(*type));
      }
    }
    return ok();
  }

  // Bounds are strings, numbers or binary; the service shows of binary only how long it is.
  static std::string describe(const item::Value& value) {
    std::string text = "AttributeValue: {";
    text += item::name_of(value.type());
    text += ':';
    if (const auto* string = value.get_if<item::String>()) text += string->text;
    if (const auto* number = value.get_if<item::Number>()) text += number->to_string();
    if (const auto* binary = value.get_if<item::Binary>()) {
      const std::string size = std::to_string(binary->bytes.size());
      text += "java.nio.HeapByteBuffer[pos=0 lim=" + size + " cap=" + size + "]";
    }
    text += '}';
    return text;
  }

  Resolver& resolver_;
};

}  // namespace

Result<Condition::Node> parse_condition(std::string_view text, ExpressionKind kind,
                                        Placeholders& placeholders) {
  ConditionParser parser(kind, text);
  const NodeId root = parser.parse();
  PAWL_TRY(parser.status());
  PAWL_TRY(check_names(kind, parser.tree(), root, Position::kCondition));
  Resolver resolver(kind, parser.tree(), placeholders);
  return Builder(resolver).build(root);
}

}  // namespace pawl::expression
