#include "trigger/filter.h"

#include <simdjson.h>

#include <algorithm>

#include "trigger/filter_node.h"

namespace pawl::trigger {
namespace {

using simdjson::dom::element;
using Kind = FilterRule::Kind;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool holds(const FilterRule::Bound& bound, double value) {
  using Is = FilterRule::Bound::Is;
  switch (bound.is) {
    case Is::kLess:
      return value < bound.than;
    case Is::kAtMost:
      return value <= bound.than;
    case Is::kEqual:
      return value == bound.than;
    case Is::kAtLeast:
      return value >= bound.than;
    case Is::kGreater:
      return value > bound.than;
  }
  return false;
}

bool text_matches(const FilterRule& rule, std::string_view text) {
  switch (rule.kind) {
    case Kind::kText:
      return text == rule.text;
    case Kind::kPrefix:
      return text.starts_with(rule.text);
    case Kind::kSuffix:
      return text.ends_with(rule.text);
    case Kind::kIgnoreCase:
      return equal_ignoring_case(text, rule.text);
    case Kind::kAnythingBut:
      return std::none_of(rule.others.begin(), rule.others.end(),
                          [text](const FilterRule& other) { return text_matches(other, text); });
    default:
      return rule.kind == Kind::kExists;
  }
}

bool number_matches(const FilterRule& rule, double number) {
  switch (rule.kind) {
    case Kind::kNumber:
      return number == rule.number;
    case Kind::kNumeric:
      return std::all_of(rule.bounds.begin(), rule.bounds.end(),
                         [number](const FilterRule::Bound& bound) { return holds(bound, number); });
    case Kind::kAnythingBut:
      return std::none_of(
          rule.others.begin(), rule.others.end(),
          [number](const FilterRule& other) { return number_matches(other, number); });
    default:
      return rule.kind == Kind::kExists;
  }
}

// A leaf of the event: no object and no list.
bool scalar_matches(const FilterRule& rule, const element& value) {
  std::string_view text;
  double number = 0;
  bool boolean = false;
  if (value.get(text) == simdjson::SUCCESS) return text_matches(rule, text);
  if (value.get(number) == simdjson::SUCCESS) return number_matches(rule, number);
  if (value.get(boolean) == simdjson::SUCCESS) {
    return rule.kind == Kind::kExists || rule.kind == (boolean ? Kind::kTrue : Kind::kFalse);
  }
  return value.is_null() && (rule.kind == Kind::kNull || rule.kind == Kind::kExists);
}

bool is_missing_asked_for(const std::vector<FilterRule>& rules) {
  return std::any_of(rules.begin(), rules.end(),
                     [](const FilterRule& rule) { return rule.kind == Kind::kMissing; });
}

bool leaf_matches(const std::vector<FilterRule>& rules, const element& value) {
  simdjson::dom::array list;
  if (value.get(list) == simdjson::SUCCESS) {
    // A list without anything in it has no leaf, as if the field were missing.
    if (list.size() == 0) return is_missing_asked_for(rules);
    return std::any_of(list.begin(), list.end(),
                       [&rules](const element& one) { return leaf_matches(rules, one); });
  }
  // `exists` is about leaves; an object is none.
  if (value.is_object()) return false;
  return std::any_of(rules.begin(), rules.end(),
                     [&value](const FilterRule& rule) { return scalar_matches(rule, value); });
}

bool node_matches(const FilterNode& node, const element& value);

bool asks_for_missing(const FilterNode& node);
bool asks_for_missing(const FilterNode::Field& field) {
  return field.node ? asks_for_missing(*field.node) : is_missing_asked_for(field.rules);
}
// Whether an object that is not there matches: every field would have to be missing.
bool asks_for_missing(const FilterNode& node) {
  const bool fields =
      std::all_of(node.fields.begin(), node.fields.end(),
                  [](const FilterNode::Field& field) { return asks_for_missing(field); });
  const bool choice =
      node.choices.empty() || std::any_of(node.choices.begin(), node.choices.end(),
                                          [](const auto& one) { return asks_for_missing(*one); });
  return fields && choice;
}

bool field_matches(const FilterNode::Field& field, const simdjson::dom::object& object) {
  element value;
  if (object.at_key(field.name).get(value) != simdjson::SUCCESS) return asks_for_missing(field);
  return field.node ? node_matches(*field.node, value) : leaf_matches(field.rules, value);
}

bool node_matches(const FilterNode& node, const element& value) {
  simdjson::dom::array list;
  if (value.get(list) == simdjson::SUCCESS) {
    if (list.size() == 0) return asks_for_missing(node);
    return std::any_of(list.begin(), list.end(),
                       [&node](const element& one) { return node_matches(node, one); });
  }
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return false;
  const bool fields = std::all_of(
      node.fields.begin(), node.fields.end(),
      [&object](const FilterNode::Field& field) { return field_matches(field, object); });
  if (!fields) return false;
  return node.choices.empty() ||
         std::any_of(node.choices.begin(), node.choices.end(),
                     [&value](const auto& choice) { return node_matches(*choice, value); });
}

// One a thread: it keeps its memory for the next record.
std::optional<element> parse_record(std::string_view record) {
  thread_local simdjson::dom::parser parser;
  element root;
  if (parser.parse(record.data(), record.size(), true).get(root) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return root;
}

}  // namespace

bool FilterPattern::matches(std::string_view record) const {
  const auto root = parse_record(record);
  return root && node_matches(*root_, *root);
}

Result<bool> Filter::matches(std::string_view record) const {
  if (patterns_.empty()) return true;
  const auto root = parse_record(record);
  if (!root) return Error{ErrorCode::kCorrupt, "a record can't be held against a filter", ""};
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const FilterPattern& pattern) {
    return node_matches(*pattern.root_, *root);
  });
}

}  // namespace pawl::trigger
