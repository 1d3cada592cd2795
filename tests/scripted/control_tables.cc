// Of the control API: tables, what is written into them, and the shards of their streams.
#include <fmt/format.h>

#include "control.h"
#include "text.h"

namespace scripted {
namespace {

View read_view(const Json& body) {
  const auto view = view_of(text_or(body, "view", "NEW_AND_OLD_IMAGES"));
  if (!view) throw bad_control("view: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES");
  return *view;
}

std::string ids_json(const std::vector<std::string>& ids) {
  std::string out;
  for (const std::string& id : ids) out += (out.empty() ? "" : ",") + json_string(id);
  return "[" + out + "]";
}

}  // namespace

Stream& Control::stream_of(const Json& body) {
  if (const std::string_view arn = text_or(body, "stream", ""); !arn.empty())
    return world_->streams.find(arn);
  return world_->streams.find(world_->dynamodb.find(text_of(body, "table")).stream_arn);
}

// {"table":…,"key":"hashid","generate":{…},"stream":true,"shards":n,"view":…,"replica":"eu-west-1"}. A table of that name is replaced.
std::string Control::make_table(const Json& body) {
  const std::string name(text_of(body, "table"));
  KeySchema schema;
  schema.partition.name = text_or(body, "key", "hashid");
  if (const auto sort = text_or(body, "sort", ""); !sort.empty())
    schema.sort = KeyPart{std::string(sort), "S"};
  const std::int64_t now_ms = world_->clock.now_ms();
  const View view = read_view(body);
  std::shared_ptr<const ItemFormula> formula;
  std::uint64_t generations = 1;
  if (const auto generate = member(body, "generate")) {
    if (schema.sort) throw bad_control("a generated table has no sort key");
    formula = std::make_shared<const ItemFormula>(*generate, schema.partition.name, now_ms);
    generations = count_or(*generate, "generations", 1);
  }
  Table& table = world_->dynamodb.add(std::make_unique<Table>(name, schema, now_ms, formula));
  table.replica = text_or(body, "replica", "");
  if (formula && formula->lineages() > 0) {
    table.view = view;
    table.stream_arn = world_->dynamodb.new_stream_arn(table);
    world_->streams.add(std::make_unique<Stream>(name, table.stream_arn, schema, view, now_ms,
                                                 formula, generations));
  } else if (truth_or(body, "stream", true)) {
    world_->dynamodb.enable_stream(table, view, count_or(body, "shards", 1));
  }
  return fmt::format(R"({{"table":{},"arn":{},"stream":{}}})", json_string(name),
                     json_string(table.arn()), json_string(table.stream_arn));
}

// {"table":…,"item":{…}} or {"table":…,"key":{…}} for a removal, with "record":false for a change that the stream never shows,
// "expired":true for one by TTL, and "shard", "sequence", "ago_s" where they matter.
std::string Control::write(const Json& body) {
  Table& table = world_->dynamodb.find(text_of(body, "table"));
  DynamoDb::Write write;
  if (const auto item = member(body, "item")) {
    write.item = read_item(*item);
    write.key = key_of(table.schema(), *write.item);
  } else if (const auto key = member(body, "key")) {
    write.key = read_key(table.schema(), *key);
  } else {
    throw bad_control("item or key is missing");
  }
  write.record = truth_or(body, "record", true);
  write.expired = truth_or(body, "expired", false);
  write.shard = text_or(body, "shard", "");
  write.sequence = text_or(body, "sequence", "");
  if (!write.sequence.empty() &&
      (write.sequence.size() < 21 || write.sequence.size() > 40 ||
       write.sequence.find_first_not_of("0123456789") != std::string::npos))
    throw bad_control("sequence: 21 to 40 digits");
  write.created_ms =
      world_->clock.now_ms() - static_cast<std::int64_t>(number_or(body, "ago_s", 0) * 1000);
  const auto before = world_->dynamodb.write(table, std::move(write));
  return "{\"before\":" + (before ? item_json(*before) : "null") + '}';
}

// {"table":…,"shard":…} or {"stream":arn,"shard":…}; "trim" wants {"count":n}, the oldest records that go.
std::string Control::shard(std::string_view what, const Json& body) {
  Stream& stream = stream_of(body);
  const std::int64_t now_ms = world_->clock.now_ms();
  const std::string_view id = text_of(body, "shard");
  if (what == "roll-over" || what == "split")
    return "{\"children\":" + ids_json(stream.roll_over(id, what == "split", now_ms)) + '}';
  Shard& shard = stream.find(id, now_ms);
  if (what == "forget") {
    shard.forgotten = true;
    return "{}";
  }
  ShardContent& content = *shard.content;
  std::uint64_t position = content.oldest(now_ms);
  if (const auto before = text_or(body, "before", ""); !before.empty())
    position = content.position(before, false);
  else
    position =
        content
            .read(position, now_ms, count_or(body, "count", UINT64_MAX), SIZE_MAX, View::kKeysOnly)
            .next;
  content.trim(position);
  return "{}";
}

// {"table":…,"enabled":false} or {"table":…,"enabled":true,"shards":n,"view":…}; answers with the newest stream's ARN.
std::string Control::switch_stream(const Json& body) {
  Table& table = world_->dynamodb.find(text_of(body, "table"));
  if (!truth_or(body, "enabled", true)) {
    world_->streams.find(table.stream_arn).disable(world_->clock.now_ms());
  } else {
    bool enabled = false;
    if (!table.stream_arn.empty()) {
      try {
        enabled = world_->streams.find(table.stream_arn).enabled();
      } catch (const Refusal&) {
        enabled = false;  // gone, 24 hours after it was disabled
      }
    }
    if (enabled) throw bad_control("the table has a stream");
    world_->dynamodb.enable_stream(table, read_view(body), count_or(body, "shards", 1));
  }
  return "{\"stream\":" + json_string(table.stream_arn) + '}';
}

// What a test may know of a stream, of all shards that exist.
std::string Control::shards_of(std::string_view table) {
  const std::int64_t now_ms = world_->clock.now_ms();
  const Stream& stream = world_->streams.find(world_->dynamodb.find(table).stream_arn);
  std::string out;
  for (const Shard& shard : stream.shards()) {
    const ShardContent& content = *shard.content;
    if (!content.exists(now_ms)) continue;
    out += fmt::format(
        R"({}{{"id":{},"parent":{},"closed":{},"forgotten":{},"oldest":{},"end":{}}})",
        out.empty() ? "" : ",", json_string(shard.id), json_string(shard.parent),
        content.ended(now_ms), shard.forgotten, content.oldest(now_ms), content.end(now_ms));
  }
  return fmt::format(R"({{"stream":{},"enabled":{},"shards":[{}]}})", json_string(stream.arn()),
                     stream.enabled(), out);
}

}  // namespace scripted
