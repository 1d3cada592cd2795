#include "ledger/shard_page.h"

#include "base/json_writer.h"
#include "item/dynamodb_json.h"
#include "item/json_fields.h"
#include "item/source_number.h"
#include "ledger/page_format.h"

namespace pawl::ledger {
namespace {

Error wrong_page(std::string_view why) {
  return Error{ErrorCode::kCorrupt, "a ledger page is wrong: " + std::string(why),
               "run `pawl verify` on the archive"};
}

// Whether `gap` names a place before an entry with this source number and sequence.
bool gap_fits(std::string_view gap, std::string_view source, SequenceNumber sequence) {
  if (gap.empty()) return sequence.value == 1;
  return item::is_source_number(gap) && item::source_before(gap, source);
}

// What only entries of a guarded table have, and the version, which only they may lack.
void read_guarded(item::JsonFields& fields, PageEntry& entry) {
  const auto source = fields.optional_text("source");
  const auto gap = fields.optional_text("gap");
  entry.foreign = fields.boolean_or("foreign", false);
  entry.missing = fields.boolean_or("missing", false);
  entry.redelivered = fields.boolean_or("redelivered", false);
  if (entry.foreign && (entry.missing || !source)) fields.fail("foreign");
  if (entry.redelivered && !entry.foreign) fields.fail("redelivered");
  if (entry.missing && !source) fields.fail("missing");
  if (!source) {
    entry.version = Version{fields.number("version")};
    if (gap) fields.fail("gap");
    return;
  }
  if (!item::is_source_number(*source)) fields.fail("source");
  entry.source = *source;
  if (const auto version = fields.optional_number("version")) {
    if (*version > item::kGuardedVersionMax) fields.fail("version");
    entry.version = Version{*version};
  }
  if (!gap) return;
  if (!gap_fits(*gap, entry.source, entry.sequence)) fields.fail("gap");
  entry.gap = std::string(*gap);
}

// Whether an entry goes on where the one before it in its page ended.
Status check_order(const PageEntry& before, const PageEntry& entry) {
  if (before.source.empty() != entry.source.empty()) {
    return wrong_page("it holds changes of a guarded table and others");
  }
  if (entry.source.empty()) {
    if (entry.instant < before.instant) return wrong_page("the instants of its changes decrease");
    return ok();
  }
  if (!item::source_before(before.source, entry.source))
    return wrong_page("the source numbers of its changes do not grow");
  if (entry.gap && item::source_before(*entry.gap, before.source))
    return wrong_page("a gap begins before the change before it");
  return ok();
}

Result<PageEntry> parse_entry(const simdjson::dom::element& element) {
  simdjson::dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return wrong_page("a change is no object");
  item::JsonFields fields(object, "change of a page");
  PageEntry entry;
  entry.sequence = {fields.number("sequence")};
  read_guarded(fields, entry);
  const auto kind = parse_change_kind(fields.text("kind"));
  if (!kind) fields.fail("kind");
  entry.kind = kind.value_or(item::ChangeKind::kInsert);
  entry.instant = fields.instant("instant");
  entry.object = fields.text("object");
  if (entry.object.empty()) fields.fail("object");
  if (!entry.missing) {
    entry.size = fields.number("size");
    entry.sha256 = fields.digest("sha256");
  }
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
  const bool guarded = !entry.source.empty();
  PAWL_ASSERT(guarded ? item::is_source_number(entry.source) : entry.version && !entry.gap);
  PAWL_ASSERT(!entry.gap || gap_fits(*entry.gap, entry.source, entry.sequence));
  PAWL_ASSERT(guarded ? !(entry.foreign && entry.missing) : !entry.foreign && !entry.missing);
  PAWL_ASSERT(entry.foreign || !entry.redelivered);
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("sequence", entry.sequence.value);
  if (guarded) json.field("source", entry.source);
  std::string key;
  item::append_item_json(key, entry.key);
  json.key("key").raw(key);
  if (entry.version) json.field("version", entry.version->value);
  json.field("kind", item::name_of(entry.kind))
      .field("instant", entry.instant.to_string())
      .field("object", entry.object);
  if (!entry.missing) json.field("size", entry.size).field("sha256", entry.sha256.to_hex());
  if (entry.foreign) json.field("foreign", true);
  if (entry.redelivered) json.field("redelivered", true);
  if (entry.missing) json.field("missing", true);
  if (entry.gap) json.field("gap", *entry.gap);
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
    if (!page.entries.empty()) PAWL_TRY(check_order(page.entries.back(), entry));
    page.entries.push_back(std::move(entry));
  }
  if (page.entries.empty() || page.entries.back().sequence != last) {
    return wrong_page("changes are missing from it");
  }
  return page;
}

}  // namespace pawl::ledger
