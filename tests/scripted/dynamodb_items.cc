#include <fmt/format.h>

#include "dynamodb.h"
#include "exchange.h"
#include "expressions.h"
#include "text.h"

namespace scripted {
namespace {

constexpr std::size_t kBatchMax = 100;  // API reference, BatchGetItem: "as many as 100 items"
constexpr std::uint64_t kSegmentsMax = 1'000'000;  // API reference, Scan: TotalSegments

Refusal invalid(std::string message) {
  return {400, "ValidationException", std::move(message), {}};
}

// Of one table's part of a BatchGetItem.
std::vector<Item> keys_of(const Table& table, const Json& wanted) {
  simdjson::dom::array keys;
  const auto list = member(wanted, "Keys");
  if (!list || list->get_array().get(keys) != simdjson::SUCCESS) throw invalid("Keys is missing");
  std::vector<Item> found;
  for (const Json key : keys) found.push_back(read_key(table.schema(), key));
  return found;
}

}  // namespace

std::optional<Item> DynamoDb::write(Table& table, Write write) {
  const std::int64_t now_ms = clock_->now_ms();
  Stream* stream = table.stream_arn.empty() ? nullptr : &streams_->find(table.stream_arn);
  if (stream != nullptr && stream->generated() && stream->enabled())
    throw bad_control("table " + table.name() +
                      " has a generated stream: its formula alone writes it");
  std::optional<Item> before = table.find(write.key, now_ms);
  // FACTS: "A write that changes nothing produces no record".
  const bool changes = before != write.item;
  if (changes && write.record && stream != nullptr && stream->enabled()) {
    Change change;
    change.keys = item_json(write.key);
    if (write.item) change.new_image = item_json(*write.item);
    if (before) change.old_image = item_json(*before);
    change.expired = write.expired;
    change.sequence = write.sequence;
    change.created_ms = write.created_ms == 0 ? now_ms : write.created_ms;
    stream->append(Table::hash_of(table.schema(), write.key), std::move(change), write.shard,
                   now_ms);
  }
  if (write.item)
    table.put(*write.item);
  else
    table.erase(write.key);
  return before;
}

std::string DynamoDb::write_if(Table& table, const Json& request, Write write,
                               const Effects& effects) {
  const std::optional<Item> there = table.find(write.key, clock_->now_ms());
  const bool met = meets(request, "ConditionExpression", there ? &*there : nullptr);
  if (!met && !effects.ignore_conditions) {
    const bool shown =
        there && text_or(request, "ReturnValuesOnConditionCheckFailure", "") == "ALL_OLD";
    throw Refusal{400, "ConditionalCheckFailedException", "The conditional request failed",
                  shown ? ",\"Item\":" + item_json(*there) : ""};
  }
  const std::optional<Item> before = this->write(table, std::move(write));
  if (before && text_or(request, "ReturnValues", "NONE") == "ALL_OLD")
    return "{\"Attributes\":" + item_json(*before) + '}';
  return "{}";
}

std::string DynamoDb::put(const Json& request, const Effects& effects) {
  Table& table = find(text_of(request, "TableName"));
  const auto item = member(request, "Item");
  if (!item) throw invalid("Item is missing");
  Write write;
  write.item = read_item(*item);
  write.key = key_of(table.schema(), *write.item);
  return write_if(table, request, std::move(write), effects);
}

std::string DynamoDb::remove(const Json& request, const Effects& effects) {
  Table& table = find(text_of(request, "TableName"));
  const auto key = member(request, "Key");
  if (!key) throw invalid("Key is missing");
  Write write;
  write.key = read_key(table.schema(), *key);
  return write_if(table, request, std::move(write), effects);
}

std::string DynamoDb::get(const Json& request) {
  const Table& table = find(text_of(request, "TableName"));
  const auto key = member(request, "Key");
  if (!key) throw invalid("Key is missing");
  const Item wanted = read_key(table.schema(), *key);
  const auto names = projection_of(request);
  const auto item = table.find(wanted, clock_->now_ms());
  return item ? "{\"Item\":" + item_json(projected(*item, names)) + '}' : "{}";
}

std::string DynamoDb::batch_get(const Json& request, const Effects& effects) {
  simdjson::dom::object tables;
  const auto asked = member(request, "RequestItems");
  if (!asked || asked->get_object().get(tables) != simdjson::SUCCESS)
    throw invalid("RequestItems is missing");
  // API reference, BatchGetItem: a partial answer names what is left in UnprocessedKeys.
  std::size_t count = 0;
  for (const auto& [name, wanted] : tables) count += keys_of(find(name), wanted).size();
  if (count < 1 || count > kBatchMax)
    throw invalid("Too many items requested for the BatchGetItem call");
  std::size_t left = effects.unprocessed ? count / 2 : count;
  std::string responses;
  std::string unprocessed;
  for (const auto& [name, wanted] : tables) {
    const Table& table = find(name);
    const auto names = projection_of(wanted);
    std::string items;
    std::string rest;
    for (const Item& key : keys_of(table, wanted)) {
      if (left == 0) {
        rest += (rest.empty() ? "" : ",") + item_json(key);
        continue;
      }
      --left;
      const auto item = table.find(key, clock_->now_ms());
      if (item) items += (items.empty() ? "" : ",") + item_json(projected(*item, names));
    }
    responses += fmt::format("{}{}:[{}]", responses.empty() ? "" : ",", json_string(name), items);
    if (!rest.empty())
      unprocessed += fmt::format("{}{}:{{\"Keys\":[{}]}}", unprocessed.empty() ? "" : ",",
                                 json_string(name), rest);
  }
  return "{\"Responses\":{" + responses + "},\"UnprocessedKeys\":{" + unprocessed + "}}";
}

std::string DynamoDb::scan(const Json& request) {
  const Table& table = find(text_of(request, "TableName"));
  const std::uint64_t segments = count_or(request, "TotalSegments", 1);
  const std::uint64_t segment = count_or(request, "Segment", 0);
  if (segments < 1 || segments > kSegmentsMax || segment >= segments)
    throw invalid("Segment is out of range");
  const std::uint64_t limit = count_or(request, "Limit", UINT64_MAX);
  if (limit < 1) throw invalid("Limit must be at least 1");
  std::optional<Item> after;
  if (const auto key = member(request, "ExclusiveStartKey")) after = read_key(table.schema(), *key);
  const auto names = projection_of(request);
  const Table::ScanPage page = table.scan(segment, segments, after, limit, clock_->now_ms());
  // "A filter expression is applied after a Scan finishes" (developer guide): Limit and 1 MB count what it takes away, too.
  std::string items;
  std::uint64_t count = 0;
  for (const Item& item : page.items) {
    if (!meets(request, "FilterExpression", &item)) continue;
    if (count++ > 0) items += ',';
    items += item_json(projected(item, names));
  }
  std::string out =
      fmt::format(R"({{"Count":{},"ScannedCount":{},"Items":[)", count, page.items.size());
  out += items;
  out += ']';
  if (page.last) out += ",\"LastEvaluatedKey\":" + item_json(*page.last);
  return out + '}';
}

}  // namespace scripted
