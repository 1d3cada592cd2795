#include "ledger/tip.h"

#include "base/json_writer.h"
#include "item/json_fields.h"
#include "ledger/page_format.h"

namespace pawl::ledger {

std::string encode_tip(const Tip& tip) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("format", kTipFormat)
      .field("archive", tip.archive)
      .field("instant", tip.instant.to_string())
      .key("root")
      .begin_object()
      .field("page", tip.root.page.value)
      .field("digest", tip.root.digest.to_hex())
      .end_object()
      .key("chains")
      .begin_object();
  for (const auto& [shard, chain] : tip.chains) {
    json.key(shard.to_string()).begin_object();
    if (chain.head) write_head(json, *chain.head);
    if (chain.heartbeat) json.field("heartbeat", chain.heartbeat->to_string());
    json.end_object();
  }
  json.end_object().end_object();
  return out;
}

Result<Tip> parse_tip(std::string_view text) {
  thread_local simdjson::dom::parser parser;
  PAWL_ASSIGN_OR_RETURN(const auto object,
                        item::parse_stored_object(parser, text, kLineBytesMax, "tip"));
  item::JsonFields fields(object, "tip");
  Tip tip;
  fields.expect("format", kTipFormat);
  tip.archive = fields.text("archive");
  tip.instant = fields.instant("instant");
  const auto root = fields.object("root");
  const auto chains = fields.object("chains");
  PAWL_TRY(fields.status());
  item::JsonFields root_fields(root, "root of the tip");
  tip.root = {{root_fields.number("page")}, {}, root_fields.digest("digest")};
  PAWL_TRY(root_fields.status());
  for (const auto& field : chains) {
    const auto shard = ShardId::parse(field.key);
    simdjson::dom::object chain_object;
    if (!shard || field.value.get(chain_object) != simdjson::SUCCESS) {
      return Error{ErrorCode::kCorrupt, "the tip names a chain that is none", {}};
    }
    item::JsonFields chain_fields(chain_object, "chain of the tip");
    TipChain chain;
    if (chain_fields.element("page")) chain.head = read_head(chain_fields);
    if (chain_fields.element("heartbeat")) chain.heartbeat = chain_fields.instant("heartbeat");
    PAWL_TRY(chain_fields.status());
    tip.chains[*shard] = chain;
  }
  return tip;
}

}  // namespace pawl::ledger
