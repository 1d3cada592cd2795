#include "pipeline/table_events.h"

#include <array>
#include <optional>
#include <utility>

#include "base/json_writer.h"
#include "item/json_fields.h"
#include "ledger/page_format.h"

namespace pawl::pipeline {
namespace {

using table::StreamView;

constexpr std::array<std::pair<StreamView, std::string_view>, 4> kViews = {{
    {StreamView::kKeysOnly, "KEYS_ONLY"},
    {StreamView::kNewImage, "NEW_IMAGE"},
    {StreamView::kOldImage, "OLD_IMAGE"},
    {StreamView::kNewAndOldImages, "NEW_AND_OLD_IMAGES"},
}};

void write_attribute(JsonWriter& json, std::string_view name, const item::KeyAttribute& attribute) {
  json.key(name)
      .begin_object()
      .field("name", attribute.name)
      .field("type", item::name_of(attribute.type))
      .end_object();
}

Result<item::KeyAttribute> parse_attribute(const simdjson::dom::object& object) {
  item::JsonFields fields(object, "key attribute of a table");
  item::KeyAttribute attribute;
  attribute.name = fields.text("name");
  const auto type = fields.text("type");
  PAWL_TRY(fields.status());
  for (const auto key_type : {item::Type::kString, item::Type::kNumber, item::Type::kBinary}) {
    if (item::name_of(key_type) != type) continue;
    attribute.type = key_type;
    return attribute;
  }
  return Error{ErrorCode::kCorrupt, "a table's key attribute is of an unknown type", {}};
}

}  // namespace

std::string encode_definition(const table::TableDefinition& definition, Instant created) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_attribute(json, "partition_key", definition.schema.partition);
  if (definition.schema.sort) write_attribute(json, "sort_key", *definition.schema.sort);
  json.field("partitions", std::uint64_t{definition.partitions})
      .field("template", definition.record.name_template)
      .field("record", definition.record.record)
      .field("created", created.to_string());
  if (definition.stream) {
    for (const auto& [view, name] : kViews) {
      if (view == *definition.stream) json.field("stream", name);
    }
  }
  json.field("pay_per_request", definition.pay_per_request)
      .field("read_units", definition.read_units)
      .field("write_units", definition.write_units)
      .field("deletion_protected", definition.deletion_protected)
      .end_object();
  return out;
}

Result<ParsedDefinition> parse_definition(std::string_view name, std::string_view text) {
  simdjson::dom::parser parser;
  PAWL_ASSIGN_OR_RETURN(
      const auto object,
      item::parse_stored_object(parser, text, ledger::kLineBytesMax, "table definition"));
  item::JsonFields fields(object, "table definition");
  ParsedDefinition parsed;
  auto& definition = parsed.definition;
  definition.name = name;
  const auto partition_key = fields.object("partition_key");
  const auto partitions = fields.number("partitions");
  definition.record.name_template = fields.text("template");
  definition.record.record = fields.boolean_or("record", true);
  parsed.created = fields.instant("created");
  definition.pay_per_request = fields.boolean_or("pay_per_request", true);
  definition.read_units = fields.optional_number("read_units").value_or(0);
  definition.write_units = fields.optional_number("write_units").value_or(0);
  definition.deletion_protected = fields.boolean_or("deletion_protected", false);
  if (const auto stream = fields.optional_text("stream")) {
    for (const auto& [view, view_name] : kViews) {
      if (view_name == *stream) definition.stream = view;
    }
  }
  if (partitions == 0 || partitions > table::kPartitionsMax) fields.fail("partitions");
  PAWL_TRY(fields.status());
  definition.partitions = static_cast<std::uint16_t>(partitions);
  PAWL_ASSIGN_OR_RETURN(definition.schema.partition, parse_attribute(partition_key));
  if (fields.element("sort_key")) {
    const auto sort_key = fields.object("sort_key");
    PAWL_TRY(fields.status());
    PAWL_ASSIGN_OR_RETURN(definition.schema.sort, parse_attribute(sort_key));
  }
  return parsed;
}

ledger::TableCreated created_event(const RecordedTable& table,
                                   std::optional<ledger::Parent> parent) {
  return {table.incarnation, table.definition.name,
          encode_definition(table.definition, table.created), table.shards, std::move(parent)};
}

}  // namespace pawl::pipeline
