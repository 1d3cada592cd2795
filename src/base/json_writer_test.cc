#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <string>

namespace pawl {
namespace {

using namespace std::string_literals;

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object()
      .field("text", "a")
      .field("view", std::string_view("b"))
      .field("number", std::uint64_t{18'446'744'073'709'551'615U})
      .field("yes", true)
      .key("none")
      .null()
      .key("list")
      .begin_array()
      .number_signed(-5)
      .begin_object()
      .end_object()
      .begin_array()
      .end_array()
      .boolean(false)
      .end_array()
      .key("raw")
      .raw("{\"x\":1}")
      .field("last", "z")
      .end_object();
  EXPECT_EQ(out, R"({"text":"a","view":"b","number":18446744073709551615,"yes":true,"none":null,)"
                 R"("list":[-5,{},[],false],"raw":{"x":1},"last":"z"})");
}

TEST(JsonWriter, EscapesInExactlyOneWay) {
  std::string out;
  append_json_string(out, "\"\\\b\f\n\r\t\x01\x1f/\x7f é 日本"s + '\0');
  EXPECT_EQ(out, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f/\x7f é 日本\\u0000\"");
}

TEST(JsonWriter, AppendsAfterWhatIsThere) {
  std::string out = "prefix ";
  append_json_string(out, "");
  EXPECT_EQ(out, "prefix \"\"");
}

TEST(JsonWriter, KeysAreEscapedToo) {
  std::string out;
  JsonWriter(out).begin_object().field("a\"b", "c").end_object();
  EXPECT_EQ(out, R"({"a\"b":"c"})");
}

}  // namespace
}  // namespace pawl
