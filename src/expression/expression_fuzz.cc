// libFuzzer: any text, as each kind of expression, parsed and then applied to an item. The first byte chooses the
// kind, the rest is the text.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "expression/expression.h"
#include "item/dynamodb_json.h"

namespace {

using pawl::expression::Condition;
using pawl::expression::KeyCondition;
using pawl::expression::Placeholders;
using pawl::expression::Projection;
using pawl::expression::Update;
namespace item = pawl::item;

const item::Item& fuzzed_item() {
  static const item::Item parsed = item::parse_item_text(R"({
        "a": {"N": "1"}, "b": {"B": "aGVsbG8="}, "c": {"BOOL": true}, "s": {"S": "hello"},
        "l": {"L": [{"N": "1"}, {"S": "x"}, {"L": [{"N": "1"}, {"N": "2"}]},
                    {"M": {"x": {"N": "1"}}}]},
        "m": {"M": {"x": {"N": "1"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}},
        "n": {"NS": ["1", "5"]}, "t": {"SS": ["bb", "hello"]}, "u": {"NULL": true}})")
                                       .value();
  return parsed;
}

Placeholders fuzzed_placeholders() {
  std::map<std::string, item::Value, std::less<>> values;
  for (const auto& [name, value] : fuzzed_item()) values.emplace(":" + name, value);
  values.emplace(":type", item::Value(item::String{"SS"}));
  return Placeholders::make({{"#a", "a"}, {"#m", "m"}, {"#name", "name"}}, std::move(values))
      .value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto placeholders = fuzzed_placeholders();
  switch (data[0] % 5) {
    case 0: {
      const auto parsed = Condition::parse(text, Condition::Kind::kCondition, placeholders);
      if (parsed.ok()) (void)parsed->holds(fuzzed_item());
      break;
    }
    case 1: {
      const auto parsed = Condition::parse(text, Condition::Kind::kFilter, placeholders);
      if (parsed.ok()) (void)parsed->holds({});
      break;
    }
    case 2: {
      const auto parsed = Update::parse(text, placeholders);
      if (parsed.ok()) (void)parsed->apply(fuzzed_item());
      break;
    }
    case 3: {
      const auto parsed = Projection::parse(text, placeholders);
      if (parsed.ok()) (void)parsed->project(fuzzed_item());
      break;
    }
    default:
      (void)KeyCondition::parse(
          text, {{"k", item::Type::kString}, item::KeyAttribute{"s", item::Type::kString}},
          placeholders);
      break;
  }
  (void)placeholders.check_all_used();
  return 0;
}
