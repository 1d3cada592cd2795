// DynamoDB JSON to values. See dynamodb_json.h for what is an error, and of which kind.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "item/dynamodb_json.h"
#include "item/utf8.h"

namespace pawl::item {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::size_t kDocumentSizeMax = 16 * 1024 * 1024;  // bytes of a stored document
// JSON levels of a stored document: two for each level of an item, and some.
constexpr std::size_t kDocumentDepthMax = 2 * kNestingDepthMax + 8;
// An error repeats at most about so much of the input.
constexpr std::size_t kShownMax = 1024;

constexpr std::string_view kEmptyValue =
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
constexpr std::string_view kTwoTypes =
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
    "supported datatypes";
constexpr std::string_view kInvalidParameter = "One or more parameter values were invalid: ";
constexpr std::string_view kTooDeep = "Nesting Levels have exceeded supported limits";
constexpr std::string_view kTooDeepInItem =
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
    "beyond supported "
    "limit";

constexpr std::array<std::string_view, 10> kTypeNames = {"S",  "N",  "B",  "BOOL", "NULL",
                                                         "SS", "NS", "BS", "L",    "M"};

std::optional<Type> type_named(std::string_view name) {
  for (std::size_t i = 0; i < kTypeNames.size(); ++i) {
    if (kTypeNames[i] == name) return static_cast<Type>(i);
  }
  return std::nullopt;
}

// One parse. Functions return false at the first malformed place, which ends the parse. The first
// invalid place is only noted, since a malformed one after it outweighs it; what is built from
// there on is worthless.
class ItemParser {
 public:
  explicit ItemParser(std::string_view too_deep) : too_deep_(too_deep) {}

  // The attributes of an item or of a map that stands at `depth`.
  bool map(const element& json, Map& map, std::size_t depth) {
    simdjson::dom::object object;
    if (json.get(object) != simdjson::SUCCESS) {
      return malformed(json.is_array()
                           ? "Unrecognized collection type java.util.Map<java.lang.String, "
                             "com.amazonaws.dynamodb.v20120810.AttributeValue>"
                           : "Unexpected field type");
    }
    for (const auto field : object) {
      if (field.key.empty()) invalid("Empty attribute name");
      if (field.key.size() > kAttributeNameMax) {
        invalid("Attribute name is too large, must be less than 65536 bytes");
      }
      if (!is_text(field.key)) return false;
      const auto [place, inserted] = map.try_emplace(std::string(field.key));
      if (!inserted) return duplicate(field.key);
      if (!value(field.value, place->second, depth)) return false;
    }
    return true;
  }

  // One value that stands in a list or map at `depth`.
  bool value(const element& json, Value& out, std::size_t depth) {
    simdjson::dom::object object;
    if (json.get(object) != simdjson::SUCCESS) {
      if (json.is_null()) return invalid(kEmptyValue);
      return malformed(
          json.is_array()
              ? "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"
              : "Unexpected value type in payload");
    }
    unsigned seen = 0;   // a bit for each type key
    unsigned types = 0;  // those that are set
    for (const auto field : object) {
      const auto type = type_named(field.key);
      if (!type) continue;
      const unsigned bit = 1U << static_cast<unsigned>(*type);
      if ((seen & bit) != 0) return duplicate(field.key);
      seen |= bit;
      if (field.value.is_null()) continue;
      ++types;
      if (!typed(*type, field.value, out, depth)) return false;
    }
    if (types == 0) return invalid(kEmptyValue);
    if (types > 1) return invalid(kTwoTypes);
    return true;
  }

  // The outcome, once `map` or `value` has returned.
  std::optional<Error> take_error() { return std::exchange(error_, std::nullopt); }

 private:
  bool invalid(std::string_view message) {
    if (!error_) error_ = Error{ErrorCode::kInvalid, std::string(message), ""};
    return true;
  }
  bool malformed(std::string_view message) {
    error_ = Error{ErrorCode::kMalformed, std::string(message), ""};
    return false;
  }
  bool duplicate(std::string_view key) {
    return malformed("Duplicate field '" + std::string(shown(key)) + "'");
  }

  // The beginning of `text`, cut at a character.
  static std::string_view shown(std::string_view text) {
    if (text.size() <= kShownMax) return text;
    std::size_t size = kShownMax;
    while (size > 0 && (text[size] & 0xC0) == 0x80) --size;
    return text.substr(0, size);
  }

  bool typed(Type type, const element& json, Value& out, std::size_t depth) {
    switch (type) {
      case Type::kString:
        return string(json, out);
      case Type::kNumber:
        return number(json, out);
      case Type::kBinary:
        return binary(json, out);
      case Type::kBoolean:
        return boolean(json, out);
      case Type::kNull:
        return null(json, out);
      case Type::kStringSet:
        return string_set(json, out);
      case Type::kNumberSet:
        return number_set(json, out);
      case Type::kBinarySet:
        return binary_set(json, out);
      case Type::kList:
        return list(json, out, depth + 1);
      case Type::kMap:
        return nested_map(json, out, depth + 1);
    }
    return malformed("Unexpected field type");
  }

  // What a JSON value that is no string is called in the service's messages.
  bool not_a(std::string_view wanted, const element& json) {
    switch (json.type()) {
      case element_type::OBJECT:
        return malformed("Start of structure or map found where not expected");
      case element_type::ARRAY:
        return malformed("Unrecognized collection type class java.lang." + std::string(wanted));
      case element_type::BOOL: {
        const bool truth = json.get<bool>().value_unsafe();
        return malformed(
            (truth ? "TRUE_VALUE cannot be converted to " : "FALSE_VALUE cannot be converted to ") +
            std::string(wanted));
      }
      case element_type::DOUBLE:
        return malformed("DECIMAL_VALUE cannot be converted to " + std::string(wanted));
      case element_type::INT64:
      case element_type::UINT64:
        return malformed("NUMBER_VALUE cannot be converted to " + std::string(wanted));
      default:
        return malformed("Unexpected token received from parser");
    }
  }

  // simdjson lets escaped lone low surrogates through, which are no text.
  bool is_text(std::string_view text) {
    if (is_utf8(text)) return true;
    return malformed("A string is not valid Unicode");
  }

  bool text(const element& json, std::string_view& out) {
    if (json.get(out) != simdjson::SUCCESS) return not_a("String", json);
    return is_text(out);
  }

  bool bytes(const element& json, std::string& out) {
    std::string_view encoded;
    if (json.get(encoded) != simdjson::SUCCESS) {
      if (json.is_object()) return malformed("Start of structure or map found where not expected");
      if (json.is_array())
        return malformed("Unrecognized collection type class java.nio.ByteBuffer");
      return malformed("only base-64-encoded strings are convertible to bytes");
    }
    auto decoded = from_base64(encoded);
    if (!decoded) {
      if (encoded.size() % 4 != 0) {
        return malformed("Base64 encoded length is expected a multiple of 4 bytes but found: " +
                         std::to_string(encoded.size()));
      }
      return malformed("Invalid Base64 character");
    }
    out = std::move(*decoded);
    return true;
  }

  bool string(const element& json, Value& out) {
    std::string_view view;
    if (!text(json, view)) return false;
    out = String{std::string(view)};
    return true;
  }

  bool number(const element& json, Value& out) {
    std::string_view view;
    if (!text(json, view)) return false;
    auto number = Number::parse(view);
    if (!number.ok()) return invalid(number.error().message);
    out = *number;
    return true;
  }

  bool binary(const element& json, Value& out) {
    out = Binary{};
    return bytes(json, out.as<Binary>().bytes);
  }

  bool boolean(const element& json, Value& out) {
    bool truth = false;
    if (json.get(truth) != simdjson::SUCCESS) return not_a("Boolean", json);
    out = truth;
    return true;
  }

  bool null(const element& json, Value& out) {
    bool truth = false;
    if (json.get(truth) != simdjson::SUCCESS) return not_a("Boolean", json);
    out = Null{};
    if (!truth) return invalid_parameter("Null attribute value types must have the value of true");
    return true;
  }

  bool invalid_parameter(std::string_view what) {
    return error_.has_value() || invalid(std::string(kInvalidParameter).append(what));
  }

  bool array(const element& json, simdjson::dom::array& out) {
    if (json.get(out) == simdjson::SUCCESS) return true;
    if (json.is_object()) return malformed("Start of structure or map found where not expected");
    return malformed("Unexpected field type");
  }

  // Calls read(element, index) for the members of a set, none of which may be null.
  template <typename Read>
  bool set_members(const element& json, std::string_view empty, std::string_view null_member,
                   Read read) {
    simdjson::dom::array members;
    if (!array(json, members)) return false;
    bool any = false;
    for (const element member : members) {
      any = true;
      if (member.is_null()) {
        invalid_parameter(null_member);
      } else if (!read(member)) {
        return false;
      }
    }
    return any || invalid_parameter(empty);
  }

  template <typename Member>
  static bool sort_and_find_duplicate(std::vector<Member>& members) {
    // As the service gives sets back, and as this program writes them, they ascend already.
    if (!std::is_sorted(members.begin(), members.end())) std::sort(members.begin(), members.end());
    return std::adjacent_find(members.begin(), members.end()) != members.end();
  }

  // "[a, b]", as the service shows a set with duplicates: in the order of the request.
  std::string shown_set(const element& json) {
    std::string text = "[";
    simdjson::dom::array members;
    (void)array(json, members);  // which it is, or there were no members to compare
    for (const element member : members) {
      std::string_view view;
      if (member.get(view) != simdjson::SUCCESS) continue;
      if (text.size() > 1) text += ", ";
      if (text.size() >= kShownMax) return text + "...]";
      text += shown(view);
    }
    return text + "]";
  }

  bool string_set(const element& json, Value& out) {
    out = StringSet{};
    auto& members = out.as<StringSet>().members;
    const auto read = [&](const element& member) {
      std::string_view view;
      if (!text(member, view)) return false;
      members.emplace_back(view);
      return true;
    };
    if (!set_members(json, "An string set  may not be empty",
                     "An string set may not have a null string as a member", read)) {
      return false;
    }
    if (!sort_and_find_duplicate(members)) return true;
    return invalid_parameter("Input collection " + shown_set(json) + " contains duplicates.");
  }

  bool number_set(const element& json, Value& out) {
    out = NumberSet{};
    auto& members = out.as<NumberSet>().members;
    const auto read = [&](const element& member) {
      std::string_view view;
      if (!text(member, view)) return false;
      auto number = Number::parse(view);
      if (!number.ok()) return invalid(number.error().message);
      members.push_back(*number);
      return true;
    };
    if (!set_members(json, "An number set  may not be empty",
                     "An number set may not have a null number as a member", read)) {
      return false;
    }
    return !sort_and_find_duplicate(members) || invalid("Input collection contains duplicates");
  }

  bool binary_set(const element& json, Value& out) {
    out = BinarySet{};
    auto& members = out.as<BinarySet>().members;
    const auto read = [&](const element& member) { return bytes(member, members.emplace_back()); };
    if (!set_members(json, "Binary sets should not be empty",
                     "Binary sets may not contain null or empty values", read)) {
      return false;
    }
    if (!sort_and_find_duplicate(members)) return true;
    return invalid_parameter("Input collection " + shown_set(json) +
                             "of type BS contains duplicates.");
  }

  bool list(const element& json, Value& out, std::size_t depth) {
    simdjson::dom::array array_json;
    if (!array(json, array_json)) return false;
    if (depth > kNestingDepthMax) return invalid(too_deep_);  // and look no deeper
    out = List{};
    auto& elements = out.as<List>();
    elements.reserve(array_json.size());
    for (const element member : array_json) {
      if (!value(member, elements.emplace_back(), depth)) return false;
    }
    return true;
  }

  bool nested_map(const element& json, Value& out, std::size_t depth) {
    if (depth > kNestingDepthMax && json.is_object()) return invalid(too_deep_);
    out = Map{};
    return map(json, out.as<Map>(), depth);
  }

  std::string_view too_deep_;
  std::optional<Error> error_;
};

}  // namespace

Result<Value> parse_value(const element& json) {
  ItemParser parser(kTooDeep);
  Result<Value> result{Value{}};
  (void)parser.value(json, *result, 1);  // what went wrong is in the parser
  if (auto error = parser.take_error()) return std::move(*error);
  return result;
}

Result<Item> parse_item(const element& json) {
  ItemParser parser(kTooDeepInItem);
  Result<Item> result{Item{}};
  (void)parser.map(json, *result, 1);
  if (auto error = parser.take_error()) return std::move(*error);
  return result;
}

Result<Item> parse_item_text(std::string_view json) {
  const auto unreadable = [](std::string_view why) {
    return Error{ErrorCode::kMalformed, "An item's JSON can't be read: " + std::string(why), ""};
  };
  if (json.size() > kDocumentSizeMax) return unreadable("it is larger than 16 MiB");
  simdjson::dom::parser parser;
  if (const auto code = parser.allocate(json.size(), kDocumentDepthMax);
      code != simdjson::SUCCESS) {
    return unreadable(simdjson::error_message(code));
  }
  element root;
  // The copy that simdjson makes gives it the padding that it reads past the end.
  if (const auto code = parser.parse(json.data(), json.size()).get(root);
      code != simdjson::SUCCESS) {
    return unreadable(simdjson::error_message(code));
  }
  return parse_item(root);
}

}  // namespace pawl::item
