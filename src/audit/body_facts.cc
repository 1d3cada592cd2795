#include "audit/body_facts.h"

#include <simdjson.h>

#include <charconv>

#include "audit/root_events.h"
#include "audit/source_number.h"

namespace pawl::audit {
namespace {

using simdjson::dom::element;

// An image as JSON without white space, and its digest: zero for null.
bool read_image(const element& body, std::string_view name, std::string& text, Digest& digest) {
  element image;
  if (body[name].get(image) != simdjson::SUCCESS) return false;
  text = simdjson::minify(image);
  if (image.is_null()) return true;
  if (!image.is_object()) return false;
  digest = sha256(text);
  return true;
}

bool read_version(const element& body, bool guarded, BodyFacts& facts) {
  element version;
  if (body["version"].get(version) != simdjson::SUCCESS) return false;
  if (guarded) {
    facts.source = text_at(body, "source");
    if (!is_source_number(facts.source)) return false;
    if (version.is_null()) return true;
  }
  std::uint64_t number = 0;
  if (version.get(number) != simdjson::SUCCESS) return false;
  facts.version = number;
  return true;
}

// Whether an item's image has the attributes of `key`, both JSON.
bool has_key(std::string_view image, std::string_view key) {
  thread_local simdjson::dom::parser image_parser;
  thread_local simdjson::dom::parser key_parser;
  simdjson::dom::object item;
  simdjson::dom::object attributes;
  if (image_parser.parse(image.data(), image.size()).get(item) != simdjson::SUCCESS ||
      key_parser.parse(key.data(), key.size()).get(attributes) != simdjson::SUCCESS ||
      attributes.size() == 0) {
    return false;
  }
  for (const auto& [name, value] : attributes) {
    element own;
    if (item[name].get(own) != simdjson::SUCCESS ||
        simdjson::minify(own) != simdjson::minify(value)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<std::uint64_t> version_of_image(std::string_view image, std::string_view attribute) {
  thread_local simdjson::dom::parser parser;
  element document;
  std::string_view digits;
  if (parser.parse(image.data(), image.size()).get(document) != simdjson::SUCCESS ||
      !document.is_object() || document[attribute]["N"].get(digits) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  constexpr std::uint64_t kVersionMax = std::uint64_t{1} << 53;
  std::uint64_t value = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end.ec != std::errc{} || end.ptr != digits.data() + digits.size() || value > kVersionMax) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint64_t> version_in(const BodyFacts& facts, std::string_view attribute) {
  return version_of_image(facts.kind == "REMOVE" ? facts.old_image : facts.new_image, attribute);
}

std::optional<RepairBodyFacts> read_repair_body(std::string_view body, std::string_view attribute) {
  thread_local simdjson::dom::parser parser;
  element document;
  element image;
  if (body.size() > kBodySizeMax ||
      parser.parse(body.data(), body.size()).get(document) != simdjson::SUCCESS ||
      !document.is_object() || text_at(document, "format") != "pawl-repair/1" ||
      document["image"].get(image) != simdjson::SUCCESS || !image.is_object()) {
    return std::nullopt;
  }
  RepairBodyFacts facts;
  facts.table = text_at(document, "table");
  facts.name = text_at(document, "name");
  facts.source = text_at(document, "source");
  element version;
  if (document["version"].get(version) == simdjson::SUCCESS && !version.is_null()) {
    std::uint64_t number = 0;
    if (version.get(number) != simdjson::SUCCESS) return std::nullopt;
    facts.version = number;
  }
  facts.image = simdjson::minify(image);
  facts.image_version = version_of_image(facts.image, attribute);
  return facts;
}

std::optional<Digest> image_put_back(std::string_view body, const IncarnationFacts& table,
                                     const LedgerEntry& entry) {
  const auto facts = read_repair_body(body, table.version_attribute);
  if (!facts || facts->table != table.table || facts->version != entry.version ||
      facts->image_version != entry.version || !has_key(facts->image, entry.key) ||
      facts->name.empty() || !entry.object.starts_with(facts->name + "~repaired")) {
    return std::nullopt;
  }
  return sha256(facts->image);
}

std::optional<BodyFacts> read_body(std::string_view body) {
  thread_local simdjson::dom::parser parser;
  element document;
  if (body.size() > kBodySizeMax ||
      parser.parse(body.data(), body.size()).get(document) != simdjson::SUCCESS ||
      !document.is_object()) {
    return std::nullopt;
  }
  const auto format = text_at(document, "format");
  const bool guarded = format == "pawl-version/2";
  if (!guarded && format != "pawl-version/1") return std::nullopt;
  BodyFacts facts;
  const auto shard = ShardId::parse(text_at(document, "shard"));
  element key;
  if (!shard || document["sequence"].get(facts.sequence) != simdjson::SUCCESS ||
      !read_version(document, guarded, facts) || document["key"].get(key) != simdjson::SUCCESS ||
      !read_image(document, "new", facts.new_image, facts.images.new_image) ||
      !read_image(document, "old", facts.old_image, facts.images.old_image)) {
    return std::nullopt;
  }
  facts.shard = *shard;
  facts.key = simdjson::minify(key);
  facts.kind = text_at(document, "kind");
  facts.instant = text_at(document, "instant");
  return facts;
}

}  // namespace pawl::audit
