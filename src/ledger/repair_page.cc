#include "ledger/repair_page.h"

#include "base/json_writer.h"
#include "item/dynamodb_json.h"

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

EntryChain chain_of(const std::string& archive, Incarnation incarnation) {
  return {kRepairPageFormat, ShardId{incarnation, kRepairChain}.to_string(), "repairs", archive};
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
  return next_entry_page(chain_of(archive, incarnation), end, entries, now);
}

Result<ChainEndState> repair_chain_end(std::string_view last_line, const std::string& archive,
                                       Incarnation incarnation) {
  return entry_chain_end(chain_of(archive, incarnation), last_line);
}

}  // namespace pawl::ledger
