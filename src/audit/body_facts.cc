#include "audit/body_facts.h"

#include <simdjson.h>

namespace pawl::audit {
namespace {

using simdjson::dom::element;

std::string_view text_at(const element& parent, std::string_view key) {
  std::string_view text;
  if (parent[key].get(text) != simdjson::SUCCESS) return {};
  return text;
}

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

}  // namespace

std::optional<BodyFacts> read_body(std::string_view body) {
  thread_local simdjson::dom::parser parser;
  element document;
  if (body.size() > kBodySizeMax ||
      parser.parse(body.data(), body.size()).get(document) != simdjson::SUCCESS ||
      text_at(document, "format") != "pawl-version/1") {
    return std::nullopt;
  }
  BodyFacts facts;
  const auto shard = ShardId::parse(text_at(document, "shard"));
  element key;
  if (!shard || document["sequence"].get(facts.sequence) != simdjson::SUCCESS ||
      document["version"].get(facts.version) != simdjson::SUCCESS ||
      document["key"].get(key) != simdjson::SUCCESS ||
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
