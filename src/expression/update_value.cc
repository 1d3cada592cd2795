#include "expression/update_value.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace pawl::expression {
namespace {

Error wrong_type() {
  return invalid_request("An operand in the update expression has an incorrect data type");
}
Error missing_attribute() {
  return invalid_request(
      "The provided expression refers to an attribute that does not exist in the item");
}

class ValueEvaluator {
 public:
  explicit ValueEvaluator(const item::Item& before) : before_(before) {}

  // Nesting is bounded by kNestingMax.
  Result<item::Value> evaluate(const UpdateValue& value) const {
    switch (value.kind) {
      case UpdateValue::Kind::kValue:
        return *value.value;
      case UpdateValue::Kind::kPath: {
        const item::Value* found = value.path.find(before_);
        if (found == nullptr) return missing_attribute();
        return *found;
      }
      case UpdateValue::Kind::kIfNotExists: {
        // The service works the alternative out even where it is not used, and so may refuse it.
        PAWL_ASSIGN_OR_RETURN(item::Value alternative, evaluate(value.operands[0]));
        const item::Value* found = value.path.find(before_);
        if (found != nullptr) return *found;
        return alternative;
      }
      case UpdateValue::Kind::kListAppend:
        return list_append(value);
      case UpdateValue::Kind::kPlus:
      case UpdateValue::Kind::kMinus:
        return arithmetic(value);
    }
    return wrong_type();
  }

 private:
  Result<item::Value> list_append(const UpdateValue& value) const {
    PAWL_ASSIGN_OR_RETURN(item::Value left, evaluate(value.operands[0]));
    auto* list = left.get_if<item::List>();
    if (list == nullptr) return wrong_type();
    PAWL_ASSIGN_OR_RETURN(item::Value right, evaluate(value.operands[1]));
    auto* tail = right.get_if<item::List>();
    if (tail == nullptr) return wrong_type();
    list->insert(list->end(), std::make_move_iterator(tail->begin()),
                 std::make_move_iterator(tail->end()));
    return left;
  }

  Result<item::Value> arithmetic(const UpdateValue& value) const {
    PAWL_ASSIGN_OR_RETURN(const item::Value left, evaluate(value.operands[0]));
    if (!left.is<item::Number>()) return wrong_type();
    PAWL_ASSIGN_OR_RETURN(const item::Value right, evaluate(value.operands[1]));
    if (!right.is<item::Number>()) return wrong_type();
    const auto& a = left.as<item::Number>();
    const auto& b = right.as<item::Number>();
    PAWL_ASSIGN_OR_RETURN(const item::Number result, value.kind == UpdateValue::Kind::kPlus
                                                         ? item::Number::add(a, b)
                                                         : item::Number::subtract(a, b));
    return item::Value(result);
  }

  const item::Item& before_;
};

template <typename Set>
Set united(const Set& a, const Set& b) {
  Set result;
  result.members.reserve(a.members.size() + b.members.size());
  std::set_union(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                 std::back_inserter(result.members));
  return result;
}

template <typename Set>
Set without(const Set& a, const Set& b) {
  Set result;
  std::set_difference(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                      std::back_inserter(result.members));
  return result;
}

Result<item::Value> add(const item::Value& before, const item::Value& operand) {
  if (before.type() != operand.type()) return wrong_type();
  if (const auto* number = before.get_if<item::Number>()) {
    PAWL_ASSIGN_OR_RETURN(const item::Number sum,
                          item::Number::add(*number, operand.as<item::Number>()));
    return item::Value(sum);
  }
  if (const auto* set = before.get_if<item::StringSet>()) {
    return item::Value(united(*set, operand.as<item::StringSet>()));
  }
  if (const auto* set = before.get_if<item::NumberSet>()) {
    return item::Value(united(*set, operand.as<item::NumberSet>()));
  }
  if (const auto* set = before.get_if<item::BinarySet>()) {
    return item::Value(united(*set, operand.as<item::BinarySet>()));
  }
  return wrong_type();
}

template <typename Set>
std::optional<item::Value> unless_empty(Set set) {
  if (set.members.empty()) return std::nullopt;
  return item::Value(std::move(set));
}

Result<std::optional<item::Value>> remove_members(const item::Value& before,
                                                  const item::Value& operand) {
  if (before.type() != operand.type()) return wrong_type();
  if (const auto* set = before.get_if<item::StringSet>()) {
    return unless_empty(without(*set, operand.as<item::StringSet>()));
  }
  if (const auto* set = before.get_if<item::NumberSet>()) {
    return unless_empty(without(*set, operand.as<item::NumberSet>()));
  }
  if (const auto* set = before.get_if<item::BinarySet>()) {
    return unless_empty(without(*set, operand.as<item::BinarySet>()));
  }
  return wrong_type();
}

}  // namespace

Result<std::optional<item::Value>> evaluate(const UpdateAction& action, const item::Item& before) {
  const item::Value* old = action.clause == Clause::kSet ? nullptr : action.path.find(before);
  switch (action.clause) {
    case Clause::kSet: {
      PAWL_ASSIGN_OR_RETURN(item::Value value, ValueEvaluator(before).evaluate(action.value));
      return std::optional<item::Value>(std::move(value));
    }
    case Clause::kRemove:
      break;
    case Clause::kAdd: {
      if (old == nullptr) return std::optional<item::Value>(*action.value.value);
      PAWL_ASSIGN_OR_RETURN(item::Value value, add(*old, *action.value.value));
      return std::optional<item::Value>(std::move(value));
    }
    case Clause::kDelete:
      if (old != nullptr) return remove_members(*old, *action.value.value);
      break;
  }
  return std::optional<item::Value>();
}

}  // namespace pawl::expression
