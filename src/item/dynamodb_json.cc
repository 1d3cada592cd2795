#include "item/dynamodb_json.h"

#include "base/base64.h"
#include "base/json_writer.h"

namespace pawl::item {
namespace {

// Recursion is bounded by the depth of the value, which parsing and updates keep at
// kNestingDepthMax.
struct Renderer {
  std::string& out;

  void operator()(const String& string) {
    out += R"({"S":)";
    append_json_string(out, string.text);
    out += '}';
  }
  void operator()(const Number& number) {
    out += R"({"N":)";
    quoted(number);
    out += '}';
  }
  void operator()(const Binary& binary) {
    out += R"({"B":)";
    quoted_base64(binary.bytes);
    out += '}';
  }
  void operator()(bool boolean) { out += boolean ? R"({"BOOL":true})" : R"({"BOOL":false})"; }
  void operator()(Null) { out += R"({"NULL":true})"; }
  void operator()(const StringSet& set) {
    out += R"({"SS":)";
    array(set.members, [this](const std::string& text) { append_json_string(out, text); });
  }
  void operator()(const NumberSet& set) {
    out += R"({"NS":)";
    array(set.members, [this](const Number& number) { quoted(number); });
  }
  void operator()(const BinarySet& set) {
    out += R"({"BS":)";
    array(set.members, [this](const std::string& bytes) { quoted_base64(bytes); });
  }
  void operator()(const List& list) {
    out += R"({"L":)";
    array(list, [this](const Value& element) { std::visit(*this, element.variant()); });
  }
  void operator()(const Map& map) {
    out += R"({"M":)";
    append_item_json(out, map);
    out += '}';
  }

 private:
  void quoted(const Number& number) {
    out += '"';
    number.append_to(out);
    out += '"';
  }
  void quoted_base64(const std::string& bytes) {
    out += '"';
    append_base64(out, bytes);
    out += '"';
  }
  // An array, and the end of the object that it is the only member of.
  template <typename Elements, typename Write>
  void array(const Elements& elements, Write write) {
    char separator = '[';
    for (const auto& element : elements) {
      out += separator;
      write(element);
      separator = ',';
    }
    if (elements.empty()) out += '[';
    out += "]}";
  }
};

}  // namespace

void append_value_json(std::string& out, const Value& value) {
  std::visit(Renderer{out}, value.variant());
}

void append_item_json(std::string& out, const Item& item) {
  char separator = '{';
  for (const auto& [name, value] : item) {
    out += separator;
    append_json_string(out, name);
    out += ':';
    append_value_json(out, value);
    separator = ',';
  }
  if (item.empty()) out += '{';
  out += '}';
}

}  // namespace pawl::item
