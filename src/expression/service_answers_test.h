// Tables of expressions with the answer that the service gives to each, and how to ask Pawl the same. The answers were
// taken from Amazon's DynamoDB Local, in which the item below was stored.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "expression/expression.h"
#include "item/dynamodb_json.h"

namespace pawl::expression {

struct ServiceAnswer {
  std::string_view expression;
  std::string_view values;    // DynamoDB JSON: {":v":{"N":"1"}}
  std::string_view names;     // "#a=a,#b=b"
  std::string_view expected;  // see the functions below; the message of an error
};

inline const item::Item& answered_item() {
  static const item::Item item = item::parse_item_text(R"({
        "a": {"N": "1"}, "b": {"B": "aGVsbG8="}, "bo": {"BOOL": true},
        "bs": {"BS": ["aGVsbG8=", "cQ=="]}, "e": {"S": ""},
        "l": {"L": [{"N": "1"}, {"S": "x"}, {"L": [{"N": "1"}, {"N": "2"}]},
                    {"M": {"x": {"N": "1"}}}]},
        "m": {"M": {"x": {"N": "1"}, "y": {"S": "z"},
                    "l": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]},
                    "n": {"M": {"p": {"S": "q"}}}}},
        "n": {"N": "5"}, "n2": {"N": "5.0"}, "ns": {"NS": ["1", "5"]}, "nu": {"NULL": true},
        "s": {"S": "hello"}, "ss": {"SS": ["bb", "hello"]}, "t": {"S": "hell"}})")
                                     .value();
  return item;
}

inline Result<Placeholders> placeholders_of(const ServiceAnswer& answer) {
  std::map<std::string, item::Value, std::less<>> values;
  if (!answer.values.empty()) values = item::parse_item_text(answer.values).value();
  std::map<std::string, std::string, std::less<>> names;
  std::string_view rest = answer.names;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    names.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return Placeholders::make(std::move(names), std::move(values));
}

inline std::string json_of(const item::Item& item) {
  std::string text;
  item::append_item_json(text, item);
  return text;
}

// Asks `answer` of `parse`, which takes the text and the placeholders, and shows what comes out by `show`.
template <typename Parse, typename Show>
std::string ask(const ServiceAnswer& answer, Parse parse, Show show) {
  auto placeholders = placeholders_of(answer);
  if (!placeholders.ok()) return placeholders.error().message;
  const auto parsed = parse(answer.expression, *placeholders);
  if (!parsed.ok()) return parsed.error().message;
  const Status used = placeholders->check_all_used();
  if (!used.ok()) return used.error().message;
  return show(*parsed);
}

// "true" or "false".
inline std::string filter_answer(const ServiceAnswer& answer) {
  return ask(
      answer,
      [](std::string_view text, Placeholders& placeholders) {
        return Condition::parse(text, Condition::Kind::kFilter, placeholders);
      },
      [](const Condition& condition) -> std::string {
        const Result<bool> holds = condition.holds(answered_item());
        if (!holds.ok()) return holds.error().message;
        return *holds ? "true" : "false";
      });
}

// The attributes that became others, and "-name" for each that went away.
inline std::string update_answer(const ServiceAnswer& answer) {
  return ask(answer, Update::parse, [](const Update& update) -> std::string {
    const auto applied = update.apply(answered_item());
    if (!applied.ok()) return applied.error().message;
    item::Item changed;
    std::string removed;
    for (const auto& [name, value] : applied->item) {
      const auto old = answered_item().find(name);
      if (old == answered_item().end() || !(old->second == value)) changed.emplace(name, value);
    }
    for (const auto& [name, value] : answered_item()) {
      if (!applied->item.contains(name)) removed += " -" + name;
    }
    return json_of(changed) + removed;
  });
}

// What is left of the item.
inline std::string projection_answer(const ServiceAnswer& answer) {
  return ask(answer, Projection::parse, [](const Projection& projection) {
    return json_of(projection.project(answered_item()));
  });
}

}  // namespace pawl::expression
