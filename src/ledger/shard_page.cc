#include "ledger/shard_page.h"

#include "base/json_writer.h"
#include "item/dynamodb_json.h"
#include "item/json_fields.h"
#include "ledger/page_format.h"

namespace pawl::ledger {
namespace {

Error wrong_page(std::string_view why) {
  return Error{ErrorCode::kCorrupt, "a ledger page is wrong: " + std::string(why),
               "run `pawl verify` on the archive"};
}

Result<PageEntry> parse_entry(const simdjson::dom::element& element) {
  simdjson::dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return wrong_page("a change is no object");
  item::JsonFields fields(object, "change of a page");
  PageEntry entry;
  entry.sequence = {fields.number("sequence")};
  entry.version = {fields.number("version")};
  const auto kind = parse_change_kind(fields.text("kind"));
  if (!kind) fields.fail("kind");
  entry.kind = kind.value_or(item::ChangeKind::kInsert);
  entry.instant = fields.instant("instant");
  entry.object = fields.text("object");
  if (entry.object.empty()) fields.fail("object");
  entry.size = fields.number("size");
  entry.sha256 = fields.digest("sha256");
  if (const auto renamed = fields.optional_text("renamed")) entry.renamed = std::string(*renamed);
  if (const auto repaired = fields.optional_text("repaired"))
    entry.repaired = std::string(*repaired);
  const auto key = fields.element("key");
  if (!key) fields.fail("key");
  PAWL_TRY(fields.status());
  auto item = item::parse_item(*key);
  if (!item.ok()) return wrong_page("a key is no item: " + item.error().message);
  entry.key = std::move(item).value();
  return entry;
}

}  // namespace

std::optional<item::ChangeKind> parse_change_kind(std::string_view name) {
  for (const auto kind :
       {item::ChangeKind::kInsert, item::ChangeKind::kModify, item::ChangeKind::kRemove}) {
    if (item::name_of(kind) == name) return kind;
  }
  return std::nullopt;
}

std::string encode_entry(const PageEntry& entry) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("sequence", entry.sequence.value).key("key");
  std::string key;
  item::append_item_json(key, entry.key);
  json.raw(key)
      .field("version", entry.version.value)
      .field("kind", item::name_of(entry.kind))
      .field("instant", entry.instant.to_string())
      .field("object", entry.object)
      .field("size", entry.size)
      .field("sha256", entry.sha256.to_hex());
  if (entry.renamed) json.field("renamed", *entry.renamed);
  if (entry.repaired) json.field("repaired", *entry.repaired);
  json.end_object();
  return out;
}

std::string encode_page(const ShardPage& page, SequenceNumber first, SequenceNumber last,
                        const std::vector<std::string>& entries) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("format", kPageFormat)
      .field("archive", page.archive)
      .field("chain", page.shard.to_string())
      .field("page", page.page.value)
      .field("previous", page.previous.to_hex())
      .field("instant", page.instant.to_string())
      .field("first", first.value)
      .field("last", last.value)
      .key("changes")
      .begin_array();
  for (const auto& entry : entries) json.raw(entry);
  json.end_array().end_object();
  return out;
}

std::string encode_page(const ShardPage& page) {
  std::vector<std::string> entries;
  entries.reserve(page.entries.size());
  for (const auto& entry : page.entries) entries.push_back(encode_entry(entry));
  return encode_page(page, page.first(), page.last(), entries);
}

Result<ShardPage> parse_page(std::string_view text) {
  thread_local simdjson::dom::parser parser;
  PAWL_ASSIGN_OR_RETURN(const auto object,
                        item::parse_stored_object(parser, text, kLineBytesMax, "ledger page"));
  item::JsonFields fields(object, "ledger page");
  ShardPage page;
  fields.expect("format", kPageFormat);
  page.archive = fields.text("archive");
  page.shard = fields.shard("chain");
  page.page = {fields.number("page")};
  page.previous = fields.digest("previous");
  page.instant = fields.instant("instant");
  const SequenceNumber first{fields.number("first")};
  const SequenceNumber last{fields.number("last")};
  const auto changes = fields.array("changes");
  PAWL_TRY(fields.status());
  if (first.value == 0 || last < first || last.value - first.value >= kChangesPerPageMax) {
    return wrong_page("first and last don't fit");
  }
  for (const auto change : changes) {
    PAWL_ASSIGN_OR_RETURN(PageEntry entry, parse_entry(change));
    if (entry.sequence.value != first.value + page.entries.size() || last < entry.sequence) {
      return wrong_page("its changes are not dense");
    }
    if (!page.entries.empty() && entry.instant < page.entries.back().instant) {
      return wrong_page("the instants of its changes decrease");
    }
    page.entries.push_back(std::move(entry));
  }
  if (page.entries.empty() || page.entries.back().sequence != last) {
    return wrong_page("changes are missing from it");
  }
  return page;
}

}  // namespace pawl::ledger
