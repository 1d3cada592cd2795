#include "ledger/root_page.h"

#include <algorithm>

#include "base/base64.h"
#include "base/json_writer.h"
#include "item/json_fields.h"
#include "ledger/page_format.h"

namespace pawl::ledger {
namespace {

using simdjson::dom::element;

Error wrong_event(std::string_view why) {
  return Error{ErrorCode::kCorrupt, "a root page is wrong: " + std::string(why),
               "run `pawl verify` on the archive"};
}

void write_parent(JsonWriter& json, const Parent& parent) {
  json.key("parent").begin_object().field("incarnation", parent.incarnation.to_string());
  json.key("forks").begin_array();
  for (const auto& fork : parent.forks) {
    json.begin_object()
        .field("shard", fork.shard.to_string())
        .field("sequence", fork.sequence.value);
    if (fork.page) json.field("page", fork.page->value).field("digest", fork.digest.to_hex());
    json.end_object();
  }
  json.end_array().end_object();
}

// The fields of a closed shard, in an object of its own or in an event.
void write_closed(JsonWriter& json, const ClosedShard& closed) {
  json.field("shard", closed.shard.to_string())
      .field("last", closed.last.value)
      .field("pages", closed.pages);
  if (closed.digest) json.field("digest", closed.digest->to_hex());
}

// One overload an event: what stands after "type".
struct EventWriter {
  JsonWriter& json;

  void write_key(const std::optional<PublicKey>& key) const {
    if (key)
      json.field("public_key",
                 to_base64({reinterpret_cast<const char*>(key->data()), key->size()}));
  }
  void operator()(const ArchiveCreated& event) const {
    json.field("type", "archive-created");
    write_key(event.public_key);
  }
  void operator()(const ServerStarted& event) const {
    json.field("type", "server-started")
        .field("data", event.data)
        .field("software", event.software);
    write_key(event.public_key);
  }
  void operator()(const ServerStopped& event) const {
    json.field("type", "server-stopped").field("data", event.data);
  }
  void operator()(const TableCreated& event) const {
    json.field("type", "table-created")
        .field("incarnation", event.incarnation.to_string())
        .field("table", event.table)
        .key("definition")
        .raw(event.definition);
    json.key("shards").begin_array();
    for (const auto& shard : event.shards) json.string(shard.to_string());
    json.end_array();
    if (event.parent) write_parent(json, *event.parent);
  }
  void operator()(const TableDeleted& event) const {
    json.field("type", "table-deleted").field("incarnation", event.incarnation.to_string());
    json.key("shards").begin_array();
    for (const auto& shard : event.shards) {
      json.begin_object();
      write_closed(json, shard);
      json.end_object();
    }
    json.end_array();
    if (event.abandoned) json.field("abandoned", true);
  }
  void operator()(const CounterReset& event) const {
    json.field("type", "counter-reset")
        .field("incarnation", event.incarnation.to_string())
        .field("shard", event.shard.to_string())
        .field("sequence", event.sequence.value)
        .field("object", event.object)
        .field("renamed", event.renamed);
  }
  void operator()(const TableGuarded& event) const {
    json.field("type", "table-guarded")
        .field("incarnation", event.incarnation.to_string())
        .field("table", event.table)
        .field("arn", event.arn)
        .key("definition")
        .raw(event.definition);
  }
  void operator()(const ShardOpened& event) const {
    PAWL_ASSERT(event.shard.incarnation == event.incarnation);
    json.field("type", "shard-opened")
        .field("incarnation", event.incarnation.to_string())
        .field("shard", event.shard.to_string())
        .field("stream", event.stream)
        .field("source", event.source);
    if (event.parent) json.field("parent", event.parent->to_string());
    if (event.gap) json.field("gap", true);
  }
  void operator()(const ShardClosed& event) const {
    PAWL_ASSERT(event.closed.shard.incarnation == event.incarnation);
    json.field("type", "shard-closed").field("incarnation", event.incarnation.to_string());
    write_closed(json, event.closed);
    if (event.gap) json.field("gap", true);
  }
  void operator()(const Checkpoint& event) const {
    json.field("type", "checkpoint").key("chains").begin_object();
    for (const auto& [shard, head] : event.chains) {
      json.key(shard.to_string()).begin_object();
      write_head(json, head);
      json.end_object();
    }
    json.end_object();
  }
};

std::optional<PublicKey> parse_public_key(item::JsonFields& fields) {
  const auto text = fields.optional_text("public_key");
  if (!text) return std::nullopt;
  PublicKey key{};
  const auto bytes = from_base64(*text);
  if (!bytes || bytes->size() != key.size()) {
    fields.fail("public_key");
    return std::nullopt;
  }
  std::copy(bytes->begin(), bytes->end(), key.begin());
  return key;
}

Result<Parent> parse_parent(const element& json) {
  simdjson::dom::object object;
  if (json.get(object) != simdjson::SUCCESS) return wrong_event("parent is no object");
  item::JsonFields fields(object, "parent of a table");
  Parent parent;
  parent.incarnation = fields.incarnation("incarnation");
  const auto forks = fields.array("forks");
  PAWL_TRY(fields.status());
  for (const auto fork_json : forks) {
    simdjson::dom::object fork_object;
    if (fork_json.get(fork_object) != simdjson::SUCCESS) return wrong_event("a fork is no object");
    item::JsonFields fork_fields(fork_object, "fork of a table");
    Fork fork;
    fork.shard = fork_fields.shard("shard");
    fork.sequence = {fork_fields.number("sequence")};
    if (const auto page = fork_fields.optional_number("page")) {
      fork.page = PageIndex{*page};
      fork.digest = fork_fields.digest("digest");
    }
    PAWL_TRY(fork_fields.status());
    parent.forks.push_back(fork);
  }
  return parent;
}

Result<RootEvent> parse_table_created(item::JsonFields& fields) {
  TableCreated event;
  event.incarnation = fields.incarnation("incarnation");
  event.table = fields.text("table");
  const auto definition = fields.object("definition");
  const auto shards = fields.array("shards");
  PAWL_TRY(fields.status());  // before an empty object is looked into
  event.definition = simdjson::minify(definition);
  for (const auto shard_json : shards) {
    std::string_view text;
    const auto shard =
        shard_json.get(text) == simdjson::SUCCESS ? ShardId::parse(text) : std::nullopt;
    // What it is restored to has two bytes for the number (stream/change_key.h).
    if (!shard || shard->number > kEmbeddedShardMax) return wrong_event("a shard is none");
    event.shards.push_back(*shard);
  }
  if (const auto parent = fields.element("parent")) {
    PAWL_ASSIGN_OR_RETURN(event.parent, parse_parent(*parent));
  }
  return RootEvent{std::move(event)};
}

ClosedShard read_closed(item::JsonFields& fields) {
  ClosedShard closed;
  closed.shard = fields.shard("shard");
  closed.last = {fields.number("last")};
  closed.pages = fields.number("pages");
  if (closed.pages > 0) closed.digest = fields.digest("digest");
  return closed;
}

Result<RootEvent> parse_table_guarded(item::JsonFields& fields) {
  TableGuarded event;
  event.incarnation = fields.incarnation("incarnation");
  event.table = fields.text("table");
  event.arn = fields.text("arn");
  const auto definition = fields.object("definition");
  PAWL_TRY(fields.status());
  event.definition = simdjson::minify(definition);
  return RootEvent{std::move(event)};
}

Result<RootEvent> parse_shard_opened(item::JsonFields& fields) {
  ShardOpened event;
  event.incarnation = fields.incarnation("incarnation");
  event.shard = fields.shard("shard");
  event.stream = fields.text("stream");
  event.source = fields.text("source");
  if (fields.element("parent")) event.parent = fields.shard("parent");
  event.gap = fields.boolean_or("gap", false);
  if (event.shard.incarnation != event.incarnation) fields.fail("shard");
  if (event.parent && event.parent->incarnation != event.incarnation) fields.fail("parent");
  PAWL_TRY(fields.status());
  return RootEvent{std::move(event)};
}

Result<RootEvent> parse_shard_closed(item::JsonFields& fields) {
  ShardClosed event;
  event.incarnation = fields.incarnation("incarnation");
  event.closed = read_closed(fields);
  event.gap = fields.boolean_or("gap", false);
  if (event.closed.shard.incarnation != event.incarnation) fields.fail("shard");
  PAWL_TRY(fields.status());
  return RootEvent{event};
}

Result<RootEvent> parse_table_deleted(item::JsonFields& fields) {
  TableDeleted event;
  event.incarnation = fields.incarnation("incarnation");
  event.abandoned = fields.boolean_or("abandoned", false);
  const auto shards = fields.array("shards");
  PAWL_TRY(fields.status());
  for (const auto shard_json : shards) {
    simdjson::dom::object object;
    if (shard_json.get(object) != simdjson::SUCCESS)
      return wrong_event("a closed shard is no object");
    item::JsonFields shard_fields(object, "closed shard");
    event.shards.push_back(read_closed(shard_fields));
    PAWL_TRY(shard_fields.status());
  }
  return RootEvent{std::move(event)};
}

Result<RootEvent> parse_counter_reset(item::JsonFields& fields) {
  CounterReset event;
  event.incarnation = fields.incarnation("incarnation");
  event.shard = fields.shard("shard");
  event.sequence = {fields.number("sequence")};
  event.object = fields.text("object");
  event.renamed = fields.text("renamed");
  PAWL_TRY(fields.status());
  return RootEvent{std::move(event)};
}

Result<RootEvent> parse_checkpoint(item::JsonFields& fields) {
  Checkpoint event;
  const auto chains = fields.object("chains");
  PAWL_TRY(fields.status());
  for (const auto& field : chains) {
    const auto shard = ShardId::parse(field.key);
    simdjson::dom::object object;
    if (!shard || field.value.get(object) != simdjson::SUCCESS)
      return wrong_event("a chain is none");
    item::JsonFields head(object, "chain of a checkpoint");
    event.chains[*shard] = read_head(head);
    PAWL_TRY(head.status());
  }
  return RootEvent{std::move(event)};
}

Result<RootEvent> parse_event(item::JsonFields& fields, Heads heads) {
  const auto type = fields.text("type");
  if (type == "archive-created") {
    ArchiveCreated event{parse_public_key(fields)};
    PAWL_TRY(fields.status());
    return RootEvent{event};
  }
  if (type == "server-started") {
    ServerStarted event{std::string(fields.text("data")), std::string(fields.text("software")),
                        parse_public_key(fields)};
    PAWL_TRY(fields.status());
    return RootEvent{std::move(event)};
  }
  if (type == "server-stopped") {
    ServerStopped event{std::string(fields.text("data"))};
    PAWL_TRY(fields.status());
    return RootEvent{std::move(event)};
  }
  if (type == "table-created") return parse_table_created(fields);
  if (type == "table-deleted") return parse_table_deleted(fields);
  if (type == "counter-reset") return parse_counter_reset(fields);
  if (type == "table-guarded") return parse_table_guarded(fields);
  if (type == "shard-opened") return parse_shard_opened(fields);
  if (type == "shard-closed") return parse_shard_closed(fields);
  if (type == "checkpoint") {
    if (heads == Heads::kSkip) return RootEvent{Checkpoint{}};
    return parse_checkpoint(fields);
  }
  return wrong_event("its event is of an unknown type");
}

}  // namespace

std::string encode_root_page(const RootPage& page) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("format", kRootFormat)
      .field("archive", page.archive)
      .field("chain", kRootChain)
      .field("page", page.page.value)
      .field("previous", page.previous.to_hex())
      .field("instant", page.instant.to_string())
      .key("event")
      .begin_object();
  std::visit(EventWriter{json}, page.event);
  json.end_object().end_object();
  return out;
}

Result<RootPage> parse_root_page(std::string_view text, Heads heads) {
  thread_local simdjson::dom::parser parser;
  PAWL_ASSIGN_OR_RETURN(const auto object,
                        item::parse_stored_object(parser, text, kLineBytesMax, "root page"));
  item::JsonFields fields(object, "root page");
  RootPage page;
  fields.expect("format", kRootFormat);
  fields.expect("chain", kRootChain);
  page.archive = fields.text("archive");
  page.page = {fields.number("page")};
  page.previous = fields.digest("previous");
  page.instant = fields.instant("instant");
  const auto event = fields.object("event");
  PAWL_TRY(fields.status());
  item::JsonFields event_fields(event, "event of a root page");
  PAWL_ASSIGN_OR_RETURN(page.event, parse_event(event_fields, heads));
  return page;
}

}  // namespace pawl::ledger
