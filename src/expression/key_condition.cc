// Key conditions: the grammar and checks of conditions, and then what a Query can look up.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "expression/condition_node.h"

namespace pawl::expression {
namespace {

using Node = Condition::Node;
using SortOperator = KeyCondition::SortOperator;

constexpr std::string_view kName = "KeyConditionExpression";

struct KeyTerm {
  std::string attribute;
  SortOperator op = SortOperator::kNone;
  std::vector<const item::Value*> values;  // one; two for kBetween
};

Error bad_operator(std::string_view name) {
  return invalid_request("Invalid operator used in " + std::string(kName) + ": " +
                         std::string(name));
}
Error bad_condition(std::string_view what) {
  return invalid_request("Invalid condition in " + std::string(kName) + ": " + std::string(what));
}
Error not_supported() { return invalid_request("Query key condition not supported"); }

// `mirrored`: the value stands on the left.
SortOperator sort_operator(Comparator comparator, bool mirrored) {
  switch (comparator) {
    case Comparator::kLess:
      return mirrored ? SortOperator::kGreater : SortOperator::kLess;
    case Comparator::kLessEqual:
      return mirrored ? SortOperator::kGreaterEqual : SortOperator::kLessEqual;
    case Comparator::kGreater:
      return mirrored ? SortOperator::kLess : SortOperator::kGreater;
    case Comparator::kGreaterEqual:
      return mirrored ? SortOperator::kLessEqual : SortOperator::kGreaterEqual;
    default:
      return SortOperator::kEqual;
  }
}

std::string_view function_name(Function function) {
  switch (function) {
    case Function::kAttributeExists:
      return "attribute_exists";
    case Function::kAttributeNotExists:
      return "attribute_not_exists";
    case Function::kAttributeType:
      return "attribute_type";
    case Function::kContains:
      return "contains";
    default:
      return "begins_with";
  }
}

Status check_operator(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kOr:
      return bad_operator("OR");
    case Node::Kind::kNot:
      return bad_operator("NOT");
    case Node::Kind::kIn:
      return bad_operator("IN");
    case Node::Kind::kCompare:
      if (node.comparator == Comparator::kNotEqual) return bad_operator("<>");
      return ok();
    case Node::Kind::kFunction:
      if (node.function != Function::kBeginsWith) {
        return bad_operator(function_name(node.function));
      }
      return ok();
    case Node::Kind::kAnd:
    case Node::Kind::kBetween:
      return ok();
  }
  return ok();
}

Result<KeyTerm> term_of(const Node& node) {
  PAWL_TRY(check_operator(node));
  KeyTerm term;
  std::optional<std::size_t> key;
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    const Operand& operand = node.operands[i];
    if (operand.kind == Operand::Kind::kValue && !operand.computed) {
      term.values.push_back(operand.value.get());
      continue;
    }
    if (operand.kind == Operand::Kind::kSize || operand.computed) {
      return invalid_request("KeyConditionExpressions cannot contain nested operations");
    }
    if (key) return bad_condition("Multiple attribute names used in one condition");
    if (operand.path.elements.size() > 1) {
      return invalid_request("KeyConditionExpressions cannot have conditions on nested attributes");
    }
    key = i;
    term.attribute = operand.path.attribute();
  }
  if (!key) return bad_condition("No key attribute specified");
  if (node.kind == Node::Kind::kCompare) {
    term.op = sort_operator(node.comparator, *key == 1);
    return term;
  }
  const bool between = node.kind == Node::Kind::kBetween;
  if (*key != 0) {
    return bad_condition(std::string(between ? "BETWEEN" : "begins_with") +
                         " operator must have the key attribute as its first operand");
  }
  term.op = between ? SortOperator::kBetween : SortOperator::kBeginsWith;
  return term;
}

Status collect(const Node& node, std::vector<KeyTerm>& terms) {
  if (node.kind == Node::Kind::kAnd) {
    PAWL_TRY(collect(node.children[0], terms));
    return collect(node.children[1], terms);
  }
  PAWL_ASSIGN_OR_RETURN(KeyTerm term, term_of(node));
  for (const KeyTerm& other : terms) {
    if (other.attribute == term.attribute) {
      return invalid_request("KeyConditionExpressions must only contain one condition per key");
    }
  }
  terms.push_back(std::move(term));
  return ok();
}

const KeyTerm* find_term(const std::vector<KeyTerm>& terms, const std::string& attribute) {
  for (const KeyTerm& term : terms) {
    if (term.attribute == attribute) return &term;
  }
  return nullptr;
}

Error missing_key(const item::KeyAttribute& attribute) {
  return invalid_request("Query condition missed key schema element: " + attribute.name);
}

std::size_t key_bytes(const item::Value& value) {
  if (const auto* string = value.get_if<item::String>()) return string->text.size();
  if (const auto* binary = value.get_if<item::Binary>()) return binary->bytes.size();
  return 0;  // numbers are never too long
}

Status check_types(const item::KeyAttribute& attribute, const KeyTerm& term) {
  for (const item::Value* value : term.values) {
    if (value->type() == attribute.type) continue;
    return invalid_request(
        "One or more parameter values were invalid: Condition parameter type does not match "
        "schema type");
  }
  return ok();
}

Status check_size(const item::KeyAttribute& attribute, item::KeyRole role,
                  const item::Value& value) {
  if (attribute.type == item::Type::kNumber) return ok();
  const std::size_t bytes = key_bytes(value);
  if (bytes == 0) {
    return invalid_request(
        "One or more parameter values are not valid. The AttributeValue for a key attribute "
        "cannot contain an empty " +
        std::string(attribute.type == item::Type::kString ? "string" : "binary") +
        " value. Key: " + attribute.name);
  }
  if (role == item::KeyRole::kPartition && bytes > item::kPartitionKeySizeMax) {
    return invalid_request(
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size "
        "limit of2048 bytes");
  }
  if (role == item::KeyRole::kSort && bytes > item::kSortKeySizeMax) {
    return invalid_request(
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded "
        "the size limit of 1024 bytes");
  }
  return ok();
}

Status check_sizes(const item::KeyAttribute& attribute, item::KeyRole role, const KeyTerm& term) {
  for (const item::Value* value : term.values) PAWL_TRY(check_size(attribute, role, *value));
  return ok();
}

}  // namespace

Status check_scalar_keys(const AttributeNames& nested_attributes, const item::KeySchema& schema) {
  const auto check = [&](const item::KeyAttribute& key) -> Status {
    if (!nested_attributes.contains(key.name)) return ok();
    return invalid_request(
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
        "allowed: Key: " +
        key.name);
  };
  PAWL_TRY(check(schema.partition));
  return schema.sort ? check(*schema.sort) : ok();
}

Result<KeyCondition> KeyCondition::parse(std::string_view text, const item::KeySchema& schema,
                                         Placeholders& placeholders) {
  PAWL_ASSIGN_OR_RETURN(const Node root,
                        parse_condition(text, ExpressionKind::kKeyCondition, placeholders));
  AttributeNames attributes;
  AttributeNames nested;
  collect_attributes(root, attributes, nested);
  PAWL_TRY(check_scalar_keys(nested, schema));
  std::vector<KeyTerm> terms;
  PAWL_TRY(collect(root, terms));
  if (terms.size() > 2) return invalid_request("Conditions can be of length 1 or 2 only");
  if (terms.size() == 2 && !schema.sort) return not_supported();

  const KeyTerm* partition = find_term(terms, schema.partition.name);
  if (partition == nullptr) return missing_key(schema.partition);
  PAWL_TRY(check_types(schema.partition, *partition));
  if (partition->op != SortOperator::kEqual) return not_supported();
  PAWL_TRY(check_sizes(schema.partition, item::KeyRole::kPartition, *partition));
  KeyCondition condition;
  condition.partition_ = *partition->values.front();
  if (terms.size() == 1) return condition;

  const KeyTerm* sort = find_term(terms, schema.sort->name);
  if (sort == nullptr) return missing_key(*schema.sort);
  PAWL_TRY(check_types(*schema.sort, *sort));
  PAWL_TRY(check_sizes(*schema.sort, item::KeyRole::kSort, *sort));
  condition.sort_.op = sort->op;
  condition.sort_.low = *sort->values.front();
  if (sort->op == SortOperator::kBetween) condition.sort_.high = *sort->values.back();
  return condition;
}

}  // namespace pawl::expression
