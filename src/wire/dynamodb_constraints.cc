#include "wire/dynamodb_constraints.h"

#include <algorithm>
#include <limits>

namespace pawl::wire {
namespace {

bool is_table_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

std::string in_quotes(std::string_view value) {
  constexpr std::size_t kShown = 256;  // of a hostile value
  std::string text = "'";
  text.append(value.substr(0, kShown));
  if (value.size() > kShown) text.append("…");
  text.push_back('\'');
  return text;
}

}  // namespace

std::string_view without_arn(std::string_view name) {
  constexpr std::string_view kTable = ":table/";
  const std::size_t table = name.find(kTable);
  if (!name.starts_with("arn:") || table == std::string_view::npos) return name;
  const std::string_view before = name.substr(0, table);
  const bool is_arn = before.find(":dynamodb:") != std::string_view::npos &&
                      std::all_of(before.begin(), before.end(),
                                  [](char c) { return c == ':' || is_table_name_character(c); });
  return is_arn ? name.substr(table + kTable.size()) : name;
}

void Constraints::violate(std::string_view member, std::string_view value_text,
                          std::string_view constraint) {
  if (count_++ > 0) violations_.append("; ");
  violations_.append("Value ").append(value_text).append(" at '").append(path_);
  // The service's paths start each name with a small letter.
  std::string label(member);
  if (!label.empty() && label[0] >= 'A' && label[0] <= 'Z')
    label[0] = static_cast<char>(label[0] - 'A' + 'a');
  violations_.append(label).append("' failed to satisfy constraint: ").append(constraint);
}

ServiceStatus Constraints::finish() {
  if (type_error_) return std::move(*type_error_);
  if (count_ == 0) return Unit{};
  return validation(std::to_string(count_) + " validation error" + (count_ == 1 ? "" : "s") +
                    " detected: " + violations_);
}

void Constraints::required(std::string_view member) {
  if (!members_.has(member)) violate(member, "null", "Member must not be null");
}

std::string_view Constraints::table_name(std::string_view member) {
  auto text = members_.string(member);
  if (!text.ok()) {
    type_error_ = text.error();
    return {};
  }
  if (!text.value()) {
    violate(member, "null", "Member must not be null");
    return {};
  }
  const std::string_view name = without_arn(*text.value());
  check_table_name(name, member);
  return name;
}

void Constraints::check_table_name(std::string_view name, std::string_view label) {
  if (!std::all_of(name.begin(), name.end(), is_table_name_character)) {
    violate(label, in_quotes(name),
            "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
  }
  if (name.size() < kTableNameMin) {
    violate(label, in_quotes(name), "Member must have length greater than or equal to 3");
  } else if (name.size() > kTableNameMax) {
    violate(label, in_quotes(name), "Member must have length less than or equal to 255");
  }
}

std::string_view Constraints::text(std::string_view member, std::size_t shortest,
                                   std::size_t longest) {
  auto value = members_.string(member);
  if (!value.ok()) {
    type_error_ = value.error();
    return {};
  }
  if (!value.value()) return {};
  const std::string_view text = *value.value();
  if (text.size() < shortest) {
    violate(member, in_quotes(text),
            "Member must have length greater than or equal to " + std::to_string(shortest));
    return {};
  }
  if (text.size() > longest) {
    violate(member, in_quotes(text),
            "Member must have length less than or equal to " + std::to_string(longest));
    return {};
  }
  return text;
}

std::optional<std::size_t> Constraints::choose(std::string_view member,
                                               const std::string_view* choices, std::size_t count) {
  auto text = members_.string(member);
  if (!text.ok()) {
    type_error_ = text.error();
    return std::nullopt;
  }
  if (!text.value()) return std::nullopt;
  const auto found = std::find(choices, choices + count, *text.value());
  if (found != choices + count) return static_cast<std::size_t>(found - choices);
  std::string set = "Member must satisfy enum value set: [";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) set.append(", ");
    set.append(choices[i]);
  }
  violate(member, in_quotes(*text.value()), set + "]");
  return std::nullopt;
}

std::optional<std::int64_t> Constraints::integer(std::string_view member, std::int64_t low,
                                                 std::int64_t high) {
  auto number = members_.integer(member);
  if (!number.ok()) {
    type_error_ = number.error();
    return std::nullopt;
  }
  if (!number.value()) return std::nullopt;
  const std::int64_t value = *number.value();
  if (value < low) {
    violate(member, in_quotes(std::to_string(value)),
            "Member must have value greater than or equal to " + std::to_string(low));
  } else if (value > high) {
    violate(member, in_quotes(std::to_string(value)),
            "Member must have value less than or equal to " + std::to_string(high));
  }
  return value;
}

ReturnValues Constraints::return_values() {
  static constexpr std::array<std::string_view, 5> kChoices{"NONE", "ALL_OLD", "UPDATED_OLD",
                                                            "ALL_NEW", "UPDATED_NEW"};
  return static_cast<ReturnValues>(choice("ReturnValues", kChoices).value_or(0));
}

bool Constraints::old_on_failure() {
  static constexpr std::array<std::string_view, 2> kChoices{"ALL_OLD", "NONE"};
  return choice("ReturnValuesOnConditionCheckFailure", kChoices).value_or(1) == 0;
}

CapacityDetail Constraints::consumed_capacity() {
  static constexpr std::array<std::string_view, 3> kChoices{"NONE", "TOTAL", "INDEXES"};
  return static_cast<CapacityDetail>(choice("ReturnConsumedCapacity", kChoices).value_or(0));
}

void Constraints::item_collection_metrics() {
  static constexpr std::array<std::string_view, 2> kChoices{"SIZE", "NONE"};
  choice("ReturnItemCollectionMetrics", kChoices);
}

}  // namespace pawl::wire
