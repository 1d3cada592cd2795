#include "ledger/repair_page.h"

#include <algorithm>

#include "base/json_writer.h"
#include "item/dynamodb_json.h"
#include "item/json_fields.h"
#include "ledger/page_format.h"

namespace pawl::ledger {
namespace {

void write_place(JsonWriter& json, std::string_view member, const ChangePlace& place) {
  json.key(member)
      .begin_object()
      .field("shard", place.shard.to_string())
      .field("sequence", place.sequence.value)
      .end_object();
}

void write_put_back(JsonWriter& json, const PutBack& put, bool from_next_change) {
  if (put.version) json.field("version", put.version->value);
  json.field("object", put.object)
      .field("size", put.size)
      .field("sha256", put.sha256.to_hex())
      .field("repaired", from_next_change ? "old-image" : "table");
}

void write_lost(JsonWriter& json, const KnownLost& lost) {
  json.key("lost").begin_object();
  if (lost.from) json.field("from", lost.from->value);
  if (lost.to) json.field("to", lost.to->value);
  if (lost.removed) json.field("removed", true);
  json.field("since", lost.since.to_string()).field("until", lost.until.to_string()).end_object();
}

}  // namespace

std::string encode_repair_entry(const RepairEntry& entry) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("sequence", entry.sequence.value);
  std::string key;
  item::append_item_json(key, entry.key);
  json.key("key").raw(key);
  write_place(json, "after", entry.after);
  if (entry.before) write_place(json, "before", *entry.before);
  if (const auto* put = std::get_if<PutBack>(&entry.what)) {
    write_put_back(json, *put, entry.before.has_value());
  } else {
    write_lost(json, std::get<KnownLost>(entry.what));
  }
  json.end_object();
  return out;
}

Result<NextPage> next_repair_page(const ChainEndState& end, const std::string& archive,
                                  Incarnation incarnation, const std::vector<std::string>& entries,
                                  Instant now) {
  PAWL_ASSERT(!entries.empty() && entries.size() <= kChangesPerPageMax);
  const SequenceNumber last{end.last.value + entries.size()};
  const Instant instant = std::max(now, end.instant);
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("format", kRepairPageFormat)
      .field("archive", archive)
      .field("chain", ShardId{incarnation, kRepairChain}.to_string())
      .field("page", end.pages)
      .field("previous", end.digest.to_hex())
      .field("instant", instant.to_string())
      .field("first", end.last.next().value)
      .field("last", last.value)
      .key("repairs")
      .begin_array();
  for (const auto& entry : entries) json.raw(entry);
  json.end_array().end_object();
  NextPage next;
  PAWL_ASSIGN_OR_RETURN(next.line, make_line(out, nullptr));
  next.after = {end.pages + 1, next.line.digest, instant, last, 0};
  return next;
}

Result<ChainEndState> repair_chain_end(std::string_view last_line, const std::string& archive,
                                       Incarnation incarnation) {
  PAWL_ASSIGN_OR_RETURN(const auto line, parse_line(last_line));
  thread_local simdjson::dom::parser parser;
  PAWL_ASSIGN_OR_RETURN(const auto object,
                        item::parse_stored_object(parser, line.json, kLineBytesMax, "repair page"));
  item::JsonFields fields(object, "repair page");
  fields.expect("format", kRepairPageFormat);
  fields.expect("archive", archive);
  const std::string chain = ShardId{incarnation, kRepairChain}.to_string();
  fields.expect("chain", chain);
  ChainEndState end;
  end.pages = fields.number("page") + 1;
  end.instant = fields.instant("instant");
  end.last = {fields.number("last")};
  PAWL_TRY(fields.status());
  end.digest = line.digest;
  return end;
}

}  // namespace pawl::ledger
