// Properties over generated expressions and items.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "expression/service_answers_test.h"

namespace pawl::expression {
namespace {

const std::vector<std::string> kWords = {"a",
                                         "l",
                                         "m",
                                         "zz",
                                         "s",
                                         "#a",
                                         "#m",
                                         ":a",
                                         ":s",
                                         ":l",
                                         ".",
                                         ",",
                                         "(",
                                         ")",
                                         "[",
                                         "]",
                                         "0",
                                         "1",
                                         "7",
                                         "=",
                                         "<>",
                                         "<",
                                         ">=",
                                         "+",
                                         "-",
                                         "AND",
                                         "OR",
                                         "NOT",
                                         "IN",
                                         "SET",
                                         "ADD",
                                         "REMOVE",
                                         "name",
                                         "BETWEEN",
                                         "DELETE",
                                         "size",
                                         "list_append",
                                         "if_not_exists",
                                         "attribute_exists",
                                         "contains",
                                         "begins_with",
                                         "\"",
                                         "é",
                                         " "};

rc::Gen<std::string> any_text() {
  const auto words =
      rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kWords)),
                   [](const std::vector<std::string>& parts) {
                     std::string text;
                     for (const std::string& part : parts) text += part + ' ';
                     return text;
                   });
  return rc::gen::oneOf(words, rc::gen::arbitrary<std::string>());
}

Placeholders some_placeholders() {
  return Placeholders::make({{"#a", "a"}, {"#m", "m"}}, {{":a", answered_item().at("a")},
                                                         {":s", answered_item().at("s")},
                                                         {":l", answered_item().at("l")}})
      .value();
}

RC_GTEST_PROP(AnyText, IsReadOrRefusedByEveryKind, ()) {
  const std::string text = *any_text();
  auto placeholders = some_placeholders();
  const auto condition = Condition::parse(text, Condition::Kind::kCondition, placeholders);
  if (condition.ok()) RC_ASSERT(condition->holds(answered_item()).ok());
  const auto filter = Condition::parse(text, Condition::Kind::kFilter, placeholders);
  RC_ASSERT(filter.ok() == condition.ok());
  const auto projection = Projection::parse(text, placeholders);
  if (projection.ok()) (void)projection->project(answered_item());
  const auto update = Update::parse(text, placeholders);
  if (update.ok()) (void)update->apply(answered_item());
  if (!condition.ok()) RC_ASSERT(condition.error().code == ErrorCode::kInvalid);
}

// An update leaves every attribute alone that it does not name, and UPDATED_NEW is what is at its paths.
RC_GTEST_PROP(Updates, LeaveOtherAttributesAlone, ()) {
  const std::vector<std::string> actions = {"SET a = :a",
                                            "SET l[1] = :s",
                                            "SET l[9] = :s",
                                            "SET m.x = :a, m.q = l",
                                            "REMOVE s, l[0]",
                                            "REMOVE m.l[1], ss",
                                            "ADD a :a, zz :a",
                                            "SET zz = a + n",
                                            "ADD m.x :a",
                                            "SET m.l = list_append(m.l, :l)",
                                            "SET t = s, s = t",
                                            "REMOVE m",
                                            "SET e = if_not_exists(zz, l[3])"};
  const std::string text = *rc::gen::elementOf(actions);
  // Some of the attributes are missing, so that some updates fail.
  item::Item before;
  for (const auto& [name, value] : answered_item()) {
    if (*rc::gen::weightedElement<bool>({{5, true}, {1, false}})) before.emplace(name, value);
  }
  const item::Item untouched = before;
  auto placeholders = some_placeholders();
  const Update update = Update::parse(text, placeholders).value();
  const auto applied = update.apply(before);
  RC_ASSERT(before == untouched);
  if (!applied.ok()) return;
  AttributeNames names;
  for (const auto& [name, value] : before) names.insert(name);
  for (const auto& [name, value] : applied->item) names.insert(name);
  for (const std::string& name : names) {
    if (update.attributes().contains(name)) continue;
    RC_ASSERT(before.contains(name) && applied->item.contains(name));
    RC_ASSERT(before.at(name) == applied->item.at(name));
  }
  for (const auto& [name, value] : applied->updated_new) {
    RC_ASSERT(update.attributes().contains(name));
  }
  for (const auto& [name, value] : applied->updated_old) {
    RC_ASSERT(update.attributes().contains(name) && before.contains(name));
  }
}

// De Morgan, and what a comparison and its opposite say of each other where both values have an order.
RC_GTEST_PROP(Conditions, ObeyLogic, ()) {
  const std::vector<std::string> terms = {
      "a = :a",     "zz = :a",     "contains(s, :s)",   "attribute_exists(m.x)",
      "n > a",      "size(l) < n", "begins_with(s, t)", "a IN (n, :a)",
      "l[0] = m.x", "bo <> nu"};
  const std::string one = *rc::gen::elementOf(terms);
  const std::string two = *rc::gen::elementOf(terms);
  const auto holds = [](const std::string& text) {
    auto placeholders = some_placeholders();
    return Condition::parse(text, Condition::Kind::kCondition, placeholders)
        .value()
        .holds(answered_item())
        .value();
  };
  RC_ASSERT(holds("NOT (" + one + " AND " + two + ")") == holds("NOT " + one + " OR NOT " + two));
  RC_ASSERT(holds("(" + one + ") OR " + two) == (holds(one) || holds(two)));
  RC_ASSERT(holds(one + " AND NOT " + one) == false);
}

// A projection is idempotent, and a part of the item; the order of its paths means nothing.
RC_GTEST_PROP(Projections, KeepTheirPlaces, ()) {
  const std::vector<std::string> all = {"a",      "m.x", "m.n.p", "m.l[2]", "m.l[0]", "l[1]",
                                        "l[3].x", "zz",  "s",     "m.zz",   "l[9]"};
  auto paths =
      *rc::gen::nonEmpty(rc::gen::unique<std::vector<std::string>>(rc::gen::elementOf(all)));
  const auto project = [](const std::vector<std::string>& some, const item::Item& item) {
    std::string text;
    for (const std::string& path : some) text += (text.empty() ? "" : ", ") + path;
    auto placeholders = some_placeholders();
    return Projection::parse(text, placeholders).value().project(item);
  };
  const item::Item once = project(paths, answered_item());
  std::reverse(paths.begin(), paths.end());
  RC_ASSERT(project(paths, answered_item()) == once);
  for (const auto& [name, value] : once) {
    RC_ASSERT(value.type() == answered_item().at(name).type());
  }
}

}  // namespace
}  // namespace pawl::expression
