// Conditions meet items. An attribute that isn't there is unequal to everything, has no order and
// no size; values of different types are unequal and have no order.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "expression/condition_node.h"
#include "expression/order.h"

namespace pawl::expression {
namespace {

using Node = Condition::Node;

bool equal(const item::Value* a, const item::Value* b) {
  return a != nullptr && b != nullptr && *a == *b;
}

// Whether a `comparator` b, for values that have an order.
bool ordered(const item::Value* a, Comparator comparator, const item::Value* b) {
  if (a == nullptr || b == nullptr) return false;
  const auto order = order_of(*a, *b);
  if (!order) return false;
  switch (comparator) {
    case Comparator::kLess:
      return *order < 0;
    case Comparator::kLessEqual:
      return *order <= 0;
    case Comparator::kGreater:
      return *order > 0;
    case Comparator::kGreaterEqual:
      return *order >= 0;
    default:
      return false;
  }
}

bool starts_with(const item::Value& value, const item::Value& prefix) {
  if (const auto* string = value.get_if<item::String>()) {
    const auto* start = prefix.get_if<item::String>();
    return start != nullptr && string->text.starts_with(start->text);
  }
  if (const auto* binary = value.get_if<item::Binary>()) {
    const auto* start = prefix.get_if<item::Binary>();
    return start != nullptr && binary->bytes.starts_with(start->bytes);
  }
  return false;
}

// memmem takes linear time whatever the texts; std::string::find takes the product of their
// lengths.
bool contains_bytes(std::string_view text, std::string_view part) {
  return ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

template <typename Member>
bool is_member(const std::vector<Member>& members, const Member& wanted) {
  return std::binary_search(members.begin(), members.end(), wanted);
}

bool contains(const item::Value& whole, const item::Value& part) {
  if (const auto* list = whole.get_if<item::List>()) {
    return std::find(list->begin(), list->end(), part) != list->end();
  }
  if (const auto* string = part.get_if<item::String>()) {
    if (const auto* text = whole.get_if<item::String>()) {
      return contains_bytes(text->text, string->text);
    }
    const auto* set = whole.get_if<item::StringSet>();
    return set != nullptr && is_member(set->members, string->text);
  }
  if (const auto* binary = part.get_if<item::Binary>()) {
    if (const auto* bytes = whole.get_if<item::Binary>()) {
      return contains_bytes(bytes->bytes, binary->bytes);
    }
    const auto* set = whole.get_if<item::BinarySet>();
    return set != nullptr && is_member(set->members, binary->bytes);
  }
  if (const auto* number = part.get_if<item::Number>()) {
    const auto* set = whole.get_if<item::NumberSet>();
    return set != nullptr && is_member(set->members, *number);
  }
  return false;
}

class Evaluator {
 public:
  explicit Evaluator(const item::Item& item) : item_(item) {}

  bool holds(const Node& node) const {
    switch (node.kind) {
      case Node::Kind::kAnd:
        return holds(node.children[0]) && holds(node.children[1]);
      case Node::Kind::kOr:
        return holds(node.children[0]) || holds(node.children[1]);
      case Node::Kind::kNot:
        return !holds(node.children[0]);
      case Node::Kind::kCompare:
        return compare(node);
      case Node::Kind::kBetween:
        return between(node);
      case Node::Kind::kIn:
        return in(node);
      case Node::Kind::kFunction:
        return function(node);
    }
    return false;
  }

 private:
  bool compare(const Node& node) const {
    item::Value left_scratch;
    item::Value right_scratch;
    const item::Value* left = evaluate(node.operands[0], item_, left_scratch);
    const item::Value* right = evaluate(node.operands[1], item_, right_scratch);
    if (node.comparator == Comparator::kEqual) return equal(left, right);
    if (node.comparator == Comparator::kNotEqual) return !equal(left, right);
    return ordered(left, node.comparator, right);
  }

  bool between(const Node& node) const {
    item::Value scratch[3];
    const item::Value* value = evaluate(node.operands[0], item_, scratch[0]);
    const item::Value* lower = evaluate(node.operands[1], item_, scratch[1]);
    const item::Value* upper = evaluate(node.operands[2], item_, scratch[2]);
    return ordered(value, Comparator::kGreaterEqual, lower) &&
           ordered(value, Comparator::kLessEqual, upper);
  }

  bool in(const Node& node) const {
    item::Value scratch;
    const item::Value* value = evaluate(node.operands[0], item_, scratch);
    if (value == nullptr) return false;
    for (std::size_t i = 1; i < node.operands.size(); ++i) {
      item::Value candidate_scratch;
      if (equal(value, evaluate(node.operands[i], item_, candidate_scratch))) return true;
    }
    return false;
  }

  bool function(const Node& node) const {
    item::Value first_scratch;
    const item::Value* first = evaluate(node.operands[0], item_, first_scratch);
    if (node.function == Function::kAttributeExists) return first != nullptr;
    if (node.function == Function::kAttributeNotExists) return first == nullptr;
    if (first == nullptr) return false;
    if (node.function == Function::kAttributeType) return first->type() == node.wanted_type;
    item::Value second_scratch;
    const item::Value* second = evaluate(node.operands[1], item_, second_scratch);
    if (second == nullptr) return false;
    return node.function == Function::kBeginsWith ? starts_with(*first, *second)
                                                  : contains(*first, *second);
  }

  const item::Item& item_;
};

}  // namespace

bool holds(const Condition::Node& node, const item::Item& item) {
  return Evaluator(item).holds(node);
}

}  // namespace pawl::expression
