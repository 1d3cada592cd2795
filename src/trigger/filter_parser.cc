#include <simdjson.h>

#include <set>

#include "trigger/filter.h"
#include "trigger/filter_node.h"

namespace pawl::trigger {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using Rules = std::vector<FilterRule>;
using NodePtr = std::unique_ptr<const FilterNode>;

constexpr std::size_t kBoundsMax = 2;  // of one `numeric`

Error wrong(const std::string& what) {
  return {ErrorCode::kInvalid, "Invalid filter pattern definition: " + what, ""};
}

std::optional<FilterRule> scalar(const element& value) {
  FilterRule rule;
  switch (value.type()) {
    case element_type::STRING:
      rule.kind = FilterRule::Kind::kText;
      rule.text = std::string_view(value);
      return rule;
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE:
      rule.kind = FilterRule::Kind::kNumber;
      rule.number = double(value);
      return rule;
    case element_type::BOOL:
      rule.kind = bool(value) ? FilterRule::Kind::kTrue : FilterRule::Kind::kFalse;
      return rule;
    case element_type::NULL_VALUE:
      return rule;
    default:
      return std::nullopt;
  }
}

Result<FilterRule> text_rule(FilterRule::Kind kind, std::string_view name, const element& value) {
  if (!value.is_string()) return wrong(std::string(name) + " needs a text");
  FilterRule rule;
  rule.kind = kind;
  rule.text = std::string_view(value);
  return rule;
}

Result<FilterRule> anything_but(const element& value) {
  FilterRule rule;
  rule.kind = FilterRule::Kind::kAnythingBut;
  const auto add = [&rule](const element& other) {
    const auto one = scalar(other);
    const bool fits =
        one && (one->kind == FilterRule::Kind::kText || one->kind == FilterRule::Kind::kNumber);
    if (fits) rule.others.push_back(*one);
    return fits;
  };
  const Error error = wrong("anything-but needs texts, numbers, or one prefix or suffix");
  simdjson::dom::array list;
  simdjson::dom::object object;
  if (value.get(list) == simdjson::SUCCESS) {
    for (const element other : list) {
      if (!add(other)) return error;
    }
    if (rule.others.empty()) return error;
    return rule;
  }
  if (value.get(object) != simdjson::SUCCESS) {
    if (!add(value)) return error;
    return rule;
  }
  if (object.size() != 1) return error;
  const auto field = *object.begin();
  const bool is_prefix = field.key == "prefix";
  if (!is_prefix && field.key != "suffix") return error;
  PAWL_ASSIGN_OR_RETURN(FilterRule other,
                        text_rule(is_prefix ? FilterRule::Kind::kPrefix : FilterRule::Kind::kSuffix,
                                  "anything-but", field.value));
  if (other.text.empty()) return error;
  rule.others.push_back(std::move(other));
  return rule;
}

std::optional<FilterRule::Bound::Is> comparison(std::string_view sign) {
  using Is = FilterRule::Bound::Is;
  if (sign == "<") return Is::kLess;
  if (sign == "<=") return Is::kAtMost;
  if (sign == "=") return Is::kEqual;
  if (sign == ">=") return Is::kAtLeast;
  if (sign == ">") return Is::kGreater;
  return std::nullopt;
}

Result<FilterRule> numeric(const element& value) {
  const Error error = wrong(R"(numeric needs a list like [">", 0, "<=", 5])");
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) return error;
  FilterRule rule;
  rule.kind = FilterRule::Kind::kNumeric;
  std::optional<FilterRule::Bound::Is> is;
  for (const element part : list) {
    if (is) {
      double than = 0;
      if (part.get(than) != simdjson::SUCCESS) return error;
      rule.bounds.push_back({*is, than});
      is.reset();
    } else {
      std::string_view sign;
      if (part.get(sign) != simdjson::SUCCESS) return error;
      is = comparison(sign);
      if (!is || rule.bounds.size() == kBoundsMax) return error;
    }
  }
  if (is || rule.bounds.empty()) return error;
  return rule;
}

Result<FilterRule> operation(const simdjson::dom::object& object) {
  if (object.size() != 1) return wrong("a rule that is an object has one operator");
  const auto field = *object.begin();
  const element value = field.value;
  if (field.key == "prefix") return text_rule(FilterRule::Kind::kPrefix, "prefix", value);
  if (field.key == "suffix") return text_rule(FilterRule::Kind::kSuffix, "suffix", value);
  if (field.key == "equals-ignore-case") {
    return text_rule(FilterRule::Kind::kIgnoreCase, "equals-ignore-case", value);
  }
  if (field.key == "anything-but") return anything_but(value);
  if (field.key == "numeric") return numeric(value);
  if (field.key == "exists") {
    bool exists = false;
    if (value.get(exists) != simdjson::SUCCESS) return wrong("exists needs true or false");
    FilterRule rule;
    rule.kind = exists ? FilterRule::Kind::kExists : FilterRule::Kind::kMissing;
    return rule;
  }
  return wrong("'" + std::string(field.key.substr(0, 32)) + "' is no operator that Pawl knows");
}

Result<Rules> parse_rules(const simdjson::dom::array& list) {
  Rules rules;
  for (const element value : list) {
    simdjson::dom::object object;
    if (value.get(object) == simdjson::SUCCESS) {
      PAWL_ASSIGN_OR_RETURN(FilterRule rule, operation(object));
      rules.push_back(std::move(rule));
    } else if (auto rule = scalar(value)) {
      rules.push_back(std::move(*rule));
    } else {
      return wrong("a rule is no list");
    }
  }
  if (rules.empty()) return wrong("an empty list of rules matches nothing");
  return rules;
}

Result<NodePtr> parse_node(const simdjson::dom::object& object);

Status parse_choices(const element& value, FilterNode& node) {
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS || list.size() == 0) {
    return wrong("$or needs a list of objects");
  }
  for (const element choice : list) {
    simdjson::dom::object object;
    if (choice.get(object) != simdjson::SUCCESS) return wrong("$or needs a list of objects");
    PAWL_ASSIGN_OR_RETURN(NodePtr parsed, parse_node(object));
    node.choices.push_back(std::move(parsed));
  }
  return ok();
}

// The parser has bounded the depth.
Result<NodePtr> parse_node(const simdjson::dom::object& object) {
  auto node = std::make_unique<FilterNode>();
  std::set<std::string_view> names;
  for (const auto field : object) {
    if (!names.insert(field.key).second) return wrong("a name stands twice in one object");
    if (field.key == "$or") {
      PAWL_TRY(parse_choices(field.value, *node));
      continue;
    }
    FilterNode::Field parsed{std::string(field.key), {}, nullptr};
    simdjson::dom::object inner;
    simdjson::dom::array list;
    if (field.value.get(inner) == simdjson::SUCCESS) {
      PAWL_ASSIGN_OR_RETURN(parsed.node, parse_node(inner));
    } else if (field.value.get(list) == simdjson::SUCCESS) {
      PAWL_ASSIGN_OR_RETURN(parsed.rules, parse_rules(list));
    } else {
      return wrong("a field is matched by a list of rules, or is an object");
    }
    node->fields.push_back(std::move(parsed));
  }
  return NodePtr(std::move(node));
}

}  // namespace

Result<FilterPattern> FilterPattern::parse(std::string_view json) {
  if (json.size() > kFilterBytesMax) return wrong("it is longer than 4096 bytes");
  simdjson::dom::parser parser;
  if (parser.allocate(kFilterBytesMax, kFilterDepthMax) != simdjson::SUCCESS) {
    return Error{ErrorCode::kExhausted, "out of memory", ""};
  }
  simdjson::dom::object root;
  if (parser.parse(simdjson::padded_string(json)).get(root) != simdjson::SUCCESS) {
    return wrong("it is no JSON object, or is nested too deep");
  }
  PAWL_ASSIGN_OR_RETURN(NodePtr node, parse_node(root));
  return FilterPattern(std::shared_ptr<const FilterNode>(std::move(node)));
}

Result<Filter> Filter::parse(const std::vector<std::string>& patterns) {
  if (patterns.size() > kFiltersMax) return wrong("a mapping has 5 filters at most");
  Filter filter;
  for (const std::string& pattern : patterns) {
    PAWL_ASSIGN_OR_RETURN(FilterPattern parsed, FilterPattern::parse(pattern));
    filter.patterns_.push_back(std::move(parsed));
  }
  return filter;
}

}  // namespace pawl::trigger
