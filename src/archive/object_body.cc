#include "archive/object_body.h"

#include "archive/body_format.h"
#include "base/json_writer.h"
#include "item/dynamodb_json.h"
#include "item/json_fields.h"
#include "item/source_number.h"

namespace pawl::archive {
namespace {

// `json` writes to `out`: raw("") leaves the place of a value that is appended directly, without a copy.
void append_image(JsonWriter& json, std::string& out, const std::optional<item::Item>& image) {
  if (!image) {
    json.null();
    return;
  }
  json.raw({});
  item::append_item_json(out, *image);
}

Error wrong_body(std::string_view why) {
  return Error{ErrorCode::kCorrupt, "an object is no version of an item: " + std::string(why),
               "run `pawl verify --deep` on the archive"};
}

Result<item::Item> parse_image(const simdjson::dom::element& element) {
  auto item = item::parse_item(element);
  if (!item.ok()) return wrong_body(item.error().message);
  return item;
}

Result<std::optional<item::Item>> parse_optional_image(item::JsonFields& fields,
                                                       std::string_view name) {
  const auto element = fields.element(name);
  if (!element) return wrong_body("an image is missing");
  if (element->is_null()) return std::optional<item::Item>{};
  PAWL_ASSIGN_OR_RETURN(auto image, parse_image(*element));
  return std::optional<item::Item>(std::move(image));
}

// What only one of the two formats has, and the version, which may be null in a guarded table's.
void read_format(item::JsonFields& fields, item::Change& change) {
  const auto format = fields.text("format");
  if (format == kBodyFormat) {
    change.body_format = item::kBodyFormat;
    change.version = Version{fields.number("version")};
    change.trace = fields.text("trace");
    return;
  }
  if (format != kGuardedBodyFormat) fields.fail("format");
  change.body_format = item::kGuardedBodyFormat;
  change.source = fields.text("source");
  if (!item::is_source_number(change.source)) fields.fail("source");
  const auto version = fields.element("version");
  if (!version) fields.fail("version");
  if (version && version->is_null()) return;
  change.version = Version{fields.number("version")};
  if (change.version->value > item::kGuardedVersionMax) fields.fail("version");
}

}  // namespace

std::string render_body(std::string_view table, const item::Change& change) {
  const bool guarded = change.guarded();
  PAWL_ASSERT(change.body_format == (guarded ? item::kGuardedBodyFormat : item::kBodyFormat));
  PAWL_ASSERT(guarded ? item::is_source_number(change.source) && change.trace.empty()
                      : change.version.has_value());
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("format", guarded ? kGuardedBodyFormat : kBodyFormat)
      .field("table", table)
      .field("incarnation", change.shard.incarnation.to_string())
      .field("shard", change.shard.to_string())
      .field("sequence", change.sequence.value);
  if (guarded) json.field("source", change.source);
  json.key("key").raw({});
  item::append_item_json(out, change.key);
  json.key("version");
  change.version ? json.number(change.version->value) : json.null();
  json.field("kind", item::name_of(change.kind)).field("instant", change.instant.to_string());
  if (!guarded) json.field("trace", change.trace);
  json.key("new");
  append_image(json, out, change.new_image);
  json.key("old");
  append_image(json, out, change.old_image);
  json.end_object();
  out += '\n';
  return out;
}

Result<ParsedBody> parse_body(std::string_view body) {
  thread_local simdjson::dom::parser parser;
  PAWL_ASSIGN_OR_RETURN(const auto object,
                        item::parse_stored_object(parser, body, kBodyBytesMax, "object body"));
  item::JsonFields fields(object, "object body");
  ParsedBody parsed;
  item::Change& change = parsed.change;
  read_format(fields, change);
  parsed.table = fields.text("table");
  change.shard = fields.shard("shard");
  if (fields.incarnation("incarnation") != change.shard.incarnation) fields.fail("incarnation");
  change.sequence = {fields.number("sequence")};
  change.instant = fields.instant("instant");
  const auto kind = fields.text("kind");
  const auto key = fields.element("key");
  if (!key) fields.fail("key");
  PAWL_TRY(fields.status());
  PAWL_ASSIGN_OR_RETURN(change.key, parse_image(*key));
  PAWL_ASSIGN_OR_RETURN(change.new_image, parse_optional_image(fields, "new"));
  PAWL_ASSIGN_OR_RETURN(change.old_image, parse_optional_image(fields, "old"));
  if (kind == item::name_of(item::ChangeKind::kInsert)) {
    change.kind = item::ChangeKind::kInsert;
  } else if (kind == item::name_of(item::ChangeKind::kModify)) {
    change.kind = item::ChangeKind::kModify;
  } else if (kind == item::name_of(item::ChangeKind::kRemove)) {
    change.kind = item::ChangeKind::kRemove;
  } else {
    return wrong_body("its kind is unknown");
  }
  return parsed;
}

}  // namespace pawl::archive
