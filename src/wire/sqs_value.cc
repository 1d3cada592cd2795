#include "wire/sqs_value.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "wire/http_message.h"

namespace pawl::wire {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::size_t kParserKeptBytes = 1024 * 1024;
// A member's value that is not text is never longer.
constexpr std::size_t kNumberMax = 32;

SqsError unreadable(std::string message) {
  return sqs_error(sqs_errors::kUnreadable, std::move(message));
}

class JsonReader {
 public:
  SqsResult<SqsValue> value(const element& of, std::size_t depth) {
    if (++values_ > kSqsValuesMax) return unreadable("The request has too many values");
    if (depth > kSqsDepthMax) return unreadable("The request nests too deep");
    SqsValue result;
    switch (of.type()) {
      case element_type::STRING:
        result.kind = SqsValue::Kind::kText;
        result.text = of.get_string().value_unsafe();
        return result;
      case element_type::INT64:
        result.kind = SqsValue::Kind::kNumber;
        result.text = std::to_string(of.get_int64().value_unsafe());
        return result;
      case element_type::UINT64:
      case element_type::DOUBLE:
        return unreadable("A number is no integer of 64 bits");
      case element_type::BOOL:
        result.kind = SqsValue::Kind::kBoolean;
        result.text = of.get_bool().value_unsafe() ? "true" : "false";
        return result;
      case element_type::NULL_VALUE:
        return unreadable("A list has a null");
      case element_type::ARRAY:
        result.kind = SqsValue::Kind::kList;
        return list(of, depth);
      case element_type::OBJECT:
        return members(of, depth);
    }
    return result;
  }

 private:
  SqsResult<SqsValue> list(const element& of, std::size_t depth) {
    SqsValue result;
    result.kind = SqsValue::Kind::kList;
    simdjson::dom::array array;
    if (of.get_array().get(array) != simdjson::SUCCESS) return unreadable("no list");
    for (const element item : array) {
      WIRE_ASSIGN(SqsValue one, value(item, depth + 1));
      result.items.push_back(std::move(one));
    }
    return result;
  }

  SqsResult<SqsValue> members(const element& of, std::size_t depth) {
    SqsValue result;
    simdjson::dom::object object;
    if (of.get_object().get(object) != simdjson::SUCCESS) return unreadable("no structure");
    std::set<std::string_view> names;
    for (const auto& [name, member] : object) {
      if (!names.insert(name).second) return unreadable("A name comes twice in one JSON object");
      if (member.is_null()) continue;
      WIRE_ASSIGN(SqsValue one, value(member, depth + 1));
      result.members.push_back({std::string(name), std::move(one)});
    }
    return result;
  }

  std::size_t values_ = 0;
};

SqsError wrong_type(std::string_view name, std::string_view wanted) {
  return unreadable("The member " + std::string(name.substr(0, 100)) + " is no " +
                    std::string(wanted));
}

// The parts of "Name.1", "Name.2", … in the order of their numbers.
std::map<std::uint64_t, const SqsValue*> numbered(const SqsValue& value) {
  std::map<std::uint64_t, const SqsValue*> parts;
  for (const auto& [name, part] : value.members) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size()) parts.emplace(number, &part);
  }
  return parts;
}

}  // namespace

const SqsValue* SqsValue::find(std::string_view name) const {
  for (const auto& [member, value] : members) {
    if (member == name) return &value;
  }
  return nullptr;
}

SqsResult<SqsValue> parse_sqs_json(std::string_view body) {
  static_assert(kBodyPadding >= simdjson::SIMDJSON_PADDING);
  if (body.empty()) return SqsValue{};
  thread_local std::optional<simdjson::dom::parser> parser;
  if (!parser) {
    parser.emplace();
    if (parser->allocate(64 * 1024, 2 * kSqsDepthMax) != simdjson::SUCCESS) {
      parser.reset();
      return sqs_error(sqs_errors::kUnavailable, "Out of memory; try again");
    }
  }
  element root;
  const auto error = parser->parse(body.data(), body.size(), false).get(root);
  SqsResult<SqsValue> result = SqsValue{};
  if (error != simdjson::SUCCESS) {
    result = unreadable("The request's body is not valid JSON: " +
                        std::string(simdjson::error_message(error)));
  } else if (!root.is_object()) {
    result = unreadable("The request's body is no JSON object");
  } else {
    result = JsonReader().value(root, 0);
  }
  if (body.size() > kParserKeptBytes) parser.reset();
  return result;
}

SqsResult<std::optional<std::string_view>> SqsInput::text(std::string_view name) const {
  const SqsValue* value = value_->find(name);
  if (value == nullptr) return std::optional<std::string_view>();
  if (value->kind != SqsValue::Kind::kText) return wrong_type(name, "text");
  return std::optional(std::string_view(value->text));
}

SqsResult<std::string_view> SqsInput::as_text() const {
  if (value_->kind != SqsValue::Kind::kText) return wrong_type("of a list or map", "text");
  return std::string_view(value_->text);
}

SqsResult<std::optional<std::int64_t>> SqsInput::integer(std::string_view name) const {
  const SqsValue* value = value_->find(name);
  if (value == nullptr) return std::optional<std::int64_t>();
  const auto wanted =
      protocol_ == SqsProtocol::kJson ? SqsValue::Kind::kNumber : SqsValue::Kind::kText;
  if (value->kind != wanted || value->text.size() > kNumberMax) return wrong_type(name, "integer");
  std::int64_t number = 0;
  const char* last = value->text.data() + value->text.size();
  const auto [end, error] = std::from_chars(value->text.data(), last, number);
  if (error != std::errc() || end != last) return wrong_type(name, "integer");
  return std::optional(number);
}

SqsResult<std::vector<SqsInput>> SqsInput::list(std::string_view json_name,
                                                std::string_view query_name) const {
  std::vector<SqsInput> parts;
  if (protocol_ == SqsProtocol::kQuery) {
    if (const SqsValue* value = value_->find(query_name)) {
      for (const auto& [number, part] : numbered(*value)) parts.emplace_back(*part, protocol_);
    }
    return parts;
  }
  const SqsValue* value = value_->find(json_name);
  if (value == nullptr) return parts;
  if (value->kind != SqsValue::Kind::kList) return wrong_type(json_name, "list");
  for (const SqsValue& item : value->items) parts.emplace_back(item, protocol_);
  return parts;
}

SqsResult<std::vector<std::string>> SqsInput::texts(std::string_view json_name,
                                                    std::string_view query_name) const {
  WIRE_ASSIGN(const auto parts, list(json_name, query_name));
  std::vector<std::string> found;
  for (const SqsInput& part : parts) {
    WIRE_ASSIGN(const auto text, part.as_text());
    found.emplace_back(text);
  }
  return found;
}

SqsResult<std::vector<SqsInput::Entry>> SqsInput::map(std::string_view json_name,
                                                      std::string_view query_name,
                                                      std::string_view query_key) const {
  std::vector<Entry> entries;
  if (protocol_ == SqsProtocol::kJson) {
    const SqsValue* value = value_->find(json_name);
    if (value == nullptr) return entries;
    if (value->kind != SqsValue::Kind::kMembers) return wrong_type(json_name, "map");
    for (const auto& [name, member] : value->members) {
      entries.emplace_back(name, SqsInput(member, protocol_));
    }
    return entries;
  }
  const SqsValue* value = value_->find(query_name);
  if (value == nullptr) return entries;
  std::set<std::string_view> names;
  for (const auto& [number, part] : numbered(*value)) {
    const SqsValue* name = part->find(query_key);
    const SqsValue* content = part->find("Value");
    if (name == nullptr || content == nullptr || name->kind != SqsValue::Kind::kText) {
      return sqs_error(sqs_errors::kMissingParameter, "Each " + std::string(query_name) +
                                                          " needs a " + std::string(query_key) +
                                                          " and a Value.");
    }
    if (!names.insert(name->text).second) {
      return unreadable("A name comes twice: " + name->text.substr(0, 100));
    }
    entries.emplace_back(name->text, SqsInput(*content, protocol_));
  }
  return entries;
}

}  // namespace pawl::wire
