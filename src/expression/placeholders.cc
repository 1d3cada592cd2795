#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "expression/expression.h"
#include "expression/lexer.h"
#include "expression/messages.h"
#include "item/item_size.h"

namespace pawl::expression {
namespace {

constexpr std::size_t kPlaceholderSizeMax = 255;      // bytes of one "#n" or ":v"
constexpr std::size_t kAttributeNameSizeMax = 65535;  // bytes

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The service parses a placeholder as it does expressions, so white space around one is no error;
// it only can't be used then.
bool is_placeholder(std::string_view text, char mark) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text.size() >= 2 && text.front() == mark &&
         std::all_of(text.begin() + 1, text.end(), is_word_character);
}

Status check_key(std::string_view parameter, std::string_view key, char mark) {
  const auto fault = [&](const std::string& what) {
    return invalid_request(std::string(parameter) + " contains invalid key: " + what);
  };
  if (key.empty()) return fault("The expression attribute map contains an empty key;");
  if (key.size() > kPlaceholderSizeMax) {
    return fault("The expression attribute map contains a key that is too long; size of key: " +
                 std::to_string(key.size()));
  }
  if (!is_placeholder(key, mark)) return fault("Syntax error; key: \"" + std::string(key) + "\"");
  return ok();
}

Status check_name(std::string_view key, std::string_view name) {
  const std::string parameter = "ExpressionAttributeNames contains invalid value: ";
  if (name.empty()) {
    return invalid_request(parameter + "Empty attribute name for key " + std::string(key));
  }
  if (name.size() > kAttributeNameSizeMax) {
    return invalid_request(parameter +
                           "Attribute name is too large, must be less than 65536 bytes for key " +
                           std::string(key));
  }
  return ok();
}

// Where the service's hash set of `total` keys keeps this one (java.util.HashSet): what decides the
// order in which its message names the unused keys.
std::uint32_t service_bucket(std::string_view key, std::size_t total) {
  std::uint32_t hash = 0;
  for (const char c : key) hash = hash * 31 + static_cast<unsigned char>(c);
  hash ^= hash >> 16;
  const std::size_t wanted = std::max<std::size_t>(total * 4 / 3 + 1, 16);
  std::size_t capacity = 16;
  while (capacity < wanted) capacity *= 2;
  return hash & static_cast<std::uint32_t>(capacity - 1);
}

template <typename Entries>
Status check_used(std::string_view parameter, const Entries& entries) {
  std::vector<std::pair<std::uint32_t, std::string_view>> unused;
  for (const auto& entry : entries) {
    if (!entry.used) unused.emplace_back(service_bucket(entry.key, entries.size()), entry.key);
  }
  if (unused.empty()) return ok();
  std::sort(unused.begin(), unused.end());
  std::string message =
      "Value provided in " + std::string(parameter) + " unused in expressions: keys: {";
  for (std::size_t i = 0; i < unused.size(); ++i) {
    if (i > 0) message += ", ";
    message += unused[i].second;
  }
  message += '}';
  return invalid_request(std::move(message));
}

template <typename Entries>
auto find_entry(Entries& entries, std::string_view key) {
  const auto found = std::lower_bound(
      entries.begin(), entries.end(), key,
      [](const auto& entry, std::string_view wanted) { return entry.key < wanted; });
  return found != entries.end() && found->key == key ? &*found : nullptr;
}

}  // namespace

Result<Placeholders> Placeholders::make(std::map<std::string, std::string, std::less<>> names,
                                        std::map<std::string, item::Value, std::less<>> values) {
  for (const auto& [key, name] : names) {
    PAWL_TRY(check_key("ExpressionAttributeNames", key, '#'));
    PAWL_TRY(check_name(key, name));
  }
  std::size_t bytes = 0;
  for (const auto& [key, value] : values) {
    PAWL_TRY(check_key("ExpressionAttributeValues", key, ':'));
    bytes += key.size() + item::size_of(value);
  }
  if (bytes > kPlaceholderBytesMax) {
    return invalid_request("ExpressionAttributeValues exceeds max size");
  }
  Placeholders placeholders;
  placeholders.names_.reserve(names.size());
  placeholders.values_.reserve(values.size());
  // Node by node, so that keys and names are moved and not copied.
  while (!names.empty()) {
    auto node = names.extract(names.begin());
    placeholders.names_.push_back({std::move(node.key()), std::move(node.mapped()), false});
  }
  while (!values.empty()) {
    auto node = values.extract(values.begin());
    placeholders.values_.push_back({std::move(node.key()),
                                    std::make_shared<const item::Value>(std::move(node.mapped())),
                                    false});
  }
  return placeholders;
}

const std::string* Placeholders::use_name(std::string_view placeholder) {
  auto* entry = find_entry(names_, placeholder);
  if (entry == nullptr) return nullptr;
  entry->used = true;
  return &entry->name;
}

std::shared_ptr<const item::Value> Placeholders::use_value(std::string_view placeholder) {
  auto* entry = find_entry(values_, placeholder);
  if (entry == nullptr) return nullptr;
  entry->used = true;
  return entry->value;
}

Status Placeholders::check_all_used() const {
  PAWL_TRY(check_used("ExpressionAttributeNames", names_));
  return check_used("ExpressionAttributeValues", values_);
}

}  // namespace pawl::expression
