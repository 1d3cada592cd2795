#include "drill/page_reader.h"

#include <simdjson.h>

#include <charconv>

#include "base/digest.h"

namespace pawl::drill {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

std::string text_of(const object& from, std::string_view name) {
  std::string_view text;
  if (from[name].get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

std::uint64_t number_of(const object& from, std::string_view name) {
  std::uint64_t number = 0;
  if (from[name].get(number) != simdjson::SUCCESS) return UINT64_MAX;
  return number;
}

std::string json_of(const object& from, std::string_view name) {
  element part;
  if (from[name].get(part) != simdjson::SUCCESS) return {};
  return simdjson::minify(part);
}

std::optional<std::int64_t> count_of(const object& from, std::string_view image) {
  std::string_view text;
  if (from[image]["n"]["N"].get(text) != simdjson::SUCCESS) return std::nullopt;
  std::int64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc{} || end.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

struct PageReader::Parser {
  simdjson::dom::parser json;
};

PageReader::PageReader() : parser_(std::make_unique<Parser>()) {}
PageReader::~PageReader() = default;

std::optional<SeenPage> PageReader::page(std::string_view line, std::string& why) {
  const std::size_t first_space = line.find(' ');
  const std::size_t second_space =
      first_space == std::string_view::npos ? first_space : line.find(' ', first_space + 1);
  if (second_space == std::string_view::npos || !line.ends_with('\n')) {
    why = "a page that is no line of digest, signature and JSON";
    return std::nullopt;
  }
  const std::string_view json = line.substr(second_space + 1, line.size() - second_space - 2);
  SeenPage page;
  page.digest = sha256(json).to_hex();
  if (page.digest != line.substr(0, first_space)) {
    why = "a page whose digest is not that of its content";
    return std::nullopt;
  }
  object root;
  if (parser_->json.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) {
    why = "a page that is no JSON object";
    return std::nullopt;
  }
  page.chain = text_of(root, "chain");
  page.page = number_of(root, "page");
  page.previous = text_of(root, "previous");
  page.instant = text_of(root, "instant");
  if (page.chain == "root") return page;
  page.first = number_of(root, "first");
  page.last = number_of(root, "last");
  simdjson::dom::array changes;
  if (root["changes"].get(changes) != simdjson::SUCCESS) {
    why = "a shard page without changes";
    return std::nullopt;
  }
  for (const element change : changes) {
    object entry;
    if (change.get(entry) != simdjson::SUCCESS) continue;
    page.entries.push_back({number_of(entry, "sequence"), number_of(entry, "version"),
                            json_of(entry, "key"), text_of(entry, "kind"),
                            text_of(entry, "instant"), text_of(entry, "object"),
                            text_of(entry, "sha256")});
  }
  return page;
}

std::optional<SeenBody> PageReader::body(std::string_view text, std::string& why) {
  object root;
  if (!text.ends_with('\n') ||
      parser_->json.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) {
    why = "a body that is no line of JSON";
    return std::nullopt;
  }
  SeenBody body;
  body.table = text_of(root, "table");
  body.incarnation = text_of(root, "incarnation");
  body.shard = text_of(root, "shard");
  body.sequence = number_of(root, "sequence");
  body.key = json_of(root, "key");
  body.version = number_of(root, "version");
  body.kind = text_of(root, "kind");
  body.instant = text_of(root, "instant");
  body.trace = text_of(root, "trace");
  body.new_image = json_of(root, "new");
  body.old_image = json_of(root, "old");
  body.new_count = count_of(root, "new");
  body.old_count = count_of(root, "old");
  return body;
}

}  // namespace pawl::drill
