// What projections leave of one item, by the answers of DynamoDB Local.
#include <gtest/gtest.h>

#include "expression/service_answers_test.h"

namespace pawl::expression {
namespace {

// clang-format off
constexpr ServiceAnswer kProjectionAnswers[] = {
    // Whole attributes.
    {"a", "", "", R"({"a":{"N":"1"}})"},
    {"a, s", "", "", R"({"a":{"N":"1"},"s":{"S":"hello"}})"},
    {"a, zz", "", "", R"({"a":{"N":"1"}})"},
    {"zz", "", "", "{}"},
    {"#a", "", "#a=a", R"({"a":{"N":"1"}})"},
    {"#d", "", "#d=m.x", "{}"},
    // Maps.
    {"m.x", "", "", R"({"m":{"M":{"x":{"N":"1"}}}})"},
    {"m.x, m.n.p", "", "", R"({"m":{"M":{"n":{"M":{"p":{"S":"q"}}},"x":{"N":"1"}}}})"},
    {"m.n.p, m.y, m.x", "", "", R"({"m":{"M":{"n":{"M":{"p":{"S":"q"}}},"x":{"N":"1"},"y":{"S":"z"}}}})"},
    {"m.zz", "", "", "{}"},
    {"m.zz.q, m.x", "", "", R"({"m":{"M":{"x":{"N":"1"}}}})"},
    {"zz.y", "", "", "{}"},
    {"a.b", "", "", "{}"},
    {"l.x", "", "", "{}"},
    {"#m.#x", "", "#m=m,#x=x", R"({"m":{"M":{"x":{"N":"1"}}}})"},
    // List elements close up in the order of their indexes.
    {"l[0]", "", "", R"({"l":{"L":[{"N":"1"}]}})"},
    {"l[2], l[0]", "", "", R"({"l":{"L":[{"N":"1"},{"L":[{"N":"1"},{"N":"2"}]}]}})"},
    {"l[9]", "", "", "{}"},
    {"l[0], l[9], l[1]", "", "", R"({"l":{"L":[{"N":"1"},{"S":"x"}]}})"},
    {"l[2][1]", "", "", R"({"l":{"L":[{"L":[{"N":"2"}]}]}})"},
    {"l[2][1], l[1]", "", "", R"({"l":{"L":[{"S":"x"},{"L":[{"N":"2"}]}]}})"},
    {"l[3].x, l[0]", "", "", R"({"l":{"L":[{"N":"1"},{"M":{"x":{"N":"1"}}}]}})"},
    {"m.l[2], m.l[0], m.x", "", "", R"({"m":{"M":{"l":{"L":[{"N":"1"},{"N":"3"}]},"x":{"N":"1"}}}})"},
    {"a[0]", "", "", "{}"},
    {"m[0]", "", "", "{}"},
    // Syntax.
    {"", "", "", "Invalid ProjectionExpression: The expression can not be empty;"},
    {"", "", "", "Invalid ProjectionExpression: The expression can not be empty;"},
    {"a,", "", "", R"(Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: ",")"},
    {"a s", "", "", R"(Invalid ProjectionExpression: Syntax error; token: "s", near: "a s")"},
    {",", "", "", R"(Invalid ProjectionExpression: Syntax error; token: ",", near: ",")"},
    {"a,,s", "", "", R"(Invalid ProjectionExpression: Syntax error; token: ",", near: ",,s")"},
    {"a..s", "", "", R"(Invalid ProjectionExpression: Syntax error; token: ".", near: "..s")"},
    {":v", "", "", R"(Invalid ProjectionExpression: Syntax error; token: ":v", near: ":v")"},
    {"size(a)", "", "", R"(Invalid ProjectionExpression: Syntax error; token: "(", near: "size(a")"},
    {"(a)", "", "", R"(Invalid ProjectionExpression: Syntax error; token: "(", near: "(a")"},
    {"a AND s", "", "", R"(Invalid ProjectionExpression: Syntax error; token: "AND", near: "a AND s")"},
    {"a = s", "", "", R"(Invalid ProjectionExpression: Syntax error; token: "=", near: "a = s")"},
    {"set", "", "", R"(Invalid ProjectionExpression: Syntax error; token: "set", near: "set")"},
    {"l[-1]", "", "", R"(Invalid ProjectionExpression: Syntax error; token: "-", near: "[-1")"},
    // Everything else.
    {"name", "", "", "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: name"},
    {"a.list", "", "", "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: list"},
    {"l[2147483648]", "", "", "Invalid ProjectionExpression: List index is not within the allowable range; index: [2147483648]"},
    {"p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p.p", "", "", "Invalid ProjectionExpression: The document path has too many nesting levels; nesting levels: 33"},
    {"#q", "", "", "Invalid ProjectionExpression: An expression attribute name used in the document path is not defined; attribute name: #q"},
    {"a", "", "#a=a", "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"},
    {"a, a", "", "", "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"},
    {"m, m.x", "", "", "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, x]"},
    {"m.x, m", "", "", "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m, x], path two: [m]"},
    {"l[2][1], l[2]", "", "", "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [l, [2], [1]], path two: [l, [2]]"},
    {"m.x, m[0]", "", "", "Invalid ProjectionExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, x], path two: [m, [0]]"},
    {"#a, a", "", "#a=a", "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"},
};
// clang-format on

TEST(ProjectionAnswers, AreTheServices) {
  for (const ServiceAnswer& answer : kProjectionAnswers) {
    EXPECT_EQ(projection_answer(answer), answer.expected) << answer.expression;
  }
}

}  // namespace
}  // namespace pawl::expression
