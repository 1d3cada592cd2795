#include "audit/table_item.h"

#include <simdjson.h>

#include <charconv>

namespace pawl::audit {
namespace {

using simdjson::dom::element;

std::optional<std::string> text_of(const element& item, const std::string& attribute) {
  element value;
  // As a key, not as a path: names may hold '.' and '/'.
  if (item[attribute].get(value) != simdjson::SUCCESS || !value.is_object()) return std::nullopt;
  for (const char* const type : {"S", "N"}) {
    std::string_view text;
    if (value[type].get(text) == simdjson::SUCCESS) return std::string(text);
  }
  return std::nullopt;
}

}  // namespace

std::optional<TableItem> read_table_item(const NamePattern& pattern, std::string_view json) {
  thread_local simdjson::dom::parser parser;
  element document;
  if (parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS ||
      !document.is_object())
    return std::nullopt;
  const auto version = text_of(document, pattern.version_attribute());
  if (!version || version->empty()) return std::nullopt;
  TableItem item;
  const char* const end = version->data() + version->size();
  const auto parsed = std::from_chars(version->data(), end, item.version);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  auto name = pattern.name_of(
      [&document](const std::string& attribute) { return text_of(document, attribute); });
  if (!name) return std::nullopt;
  item.head = std::move(name->first);
  item.tail = std::move(name->second);
  return item;
}

}  // namespace pawl::audit
