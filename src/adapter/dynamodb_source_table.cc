#include "adapter/dynamodb_source_table.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <deque>
#include <map>

#include "adapter/dynamodb_answers.h"
#include "adapter/json_answer.h"
#include "base/json_writer.h"
#include "item/dynamodb_json.h"

namespace pawl {
namespace {

constexpr const char* kPermissions =
    "the credentials need dynamodb:DescribeTable, dynamodb:GetItem, dynamodb:BatchGetItem and "
    "dynamodb:Scan on the table";

Error failed(const DynamoDbAnswer& answer, std::string_view attempted) {
  auto error = to_read_error(answer, attempted);
  if (answer.code == "AccessDeniedException") error.hint = kPermissions;
  return error;
}

Error bad_key(std::string_view attempted) {
  return {ErrorCode::kInvalid, fmt::format("{}: the key is no DynamoDB JSON", attempted), {}};
}

bool is_object(std::string_view json) {
  return walk_json(json, [](JsonObject) { return true; });
}

}  // namespace

// The keys of one get_many(), each once. Answers come in any order, and know their keys only by the items' own attributes:
// keys are compared in the one canonical rendering (1 and 1.0 are one number).
class DynamoDbSourceTable::Batch {
 public:
  // Errors: kInvalid.
  static Result<Batch> of(const std::vector<std::string>& keys, std::string_view attempted) {
    Batch batch;
    batch.answers_.resize(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      auto key = item::parse_item_text(keys[i]);
      if (!key.ok() || key->empty()) return bad_key(attempted);
      if (i == 0) {
        for (const auto& [name, value] : *key) batch.names_.push_back(name);
      }
      auto canonical = batch.canonical(*key);
      if (!canonical || key->size() != batch.names_.size()) return bad_key(attempted);
      auto& wanted = batch.wanted_[*canonical];
      if (wanted.empty()) batch.pending_.push_back(*canonical);
      wanted.push_back(i);
    }
    return batch;
  }

  bool done() const { return pending_.empty(); }
  std::size_t pending() const { return pending_.size(); }
  // The next `count` keys are asked for: they are pending no more.
  std::vector<std::string> take(std::size_t count) {
    std::vector<std::string> taken;
    while (taken.size() < count && !pending_.empty()) {
      taken.push_back(std::move(pending_.front()));
      pending_.pop_front();
    }
    return taken;
  }
  void put_back(const std::vector<std::string>& keys) {
    pending_.insert(pending_.begin(), keys.begin(), keys.end());
  }
  // What was answered about the keys in `asked`. False: it is about others.
  bool accept(const BatchAnswer& answer, const std::vector<std::string>& asked) {
    for (const auto& bytes : answer.items) {
      const auto key = key_in(bytes, asked);
      if (!key) return false;
      for (const std::size_t i : wanted_[*key]) answers_[i] = bytes;
    }
    for (const auto& bytes : answer.unprocessed_keys) {
      auto key = key_in(bytes, asked);
      if (!key) return false;
      pending_.push_back(*std::move(key));
    }
    return true;
  }
  std::vector<std::optional<std::string>> answers() && { return std::move(answers_); }

 private:
  std::optional<std::string> canonical(const item::Item& item) const {
    item::Item key;
    for (const auto& name : names_) {
      const auto found = item.find(name);
      if (found == item.end()) return std::nullopt;
      key.emplace(name, found->second);
    }
    std::string json;
    item::append_item_json(json, key);
    return json;
  }
  // Looks at nothing but the key's attributes: what else an engine lets into an item is not judged here.
  std::optional<std::string> key_in(std::string_view bytes,
                                    const std::vector<std::string>& asked) const {
    simdjson::dom::parser parser;
    const simdjson::padded_string padded(bytes);
    simdjson::dom::element item;
    if (parser.parse(padded).get(item) != simdjson::SUCCESS) return std::nullopt;
    item::Item found;
    for (const auto& name : names_) {
      simdjson::dom::element element;
      if (item.at_key(name).get(element) != simdjson::SUCCESS) return std::nullopt;
      auto value = item::parse_value(element);
      if (!value.ok()) return std::nullopt;
      found.emplace(name, std::move(value).value());
    }
    auto key = canonical(found);
    if (key && std::find(asked.begin(), asked.end(), *key) == asked.end()) return std::nullopt;
    return key;
  }

  std::vector<std::string> names_;  // of the key's attributes
  std::map<std::string, std::vector<std::size_t>> wanted_;
  std::deque<std::string> pending_;
  std::vector<std::optional<std::string>> answers_;
};

std::string DynamoDbSourceTable::attempted(std::string_view what) const {
  return fmt::format("{} {} at {}", what, table_, client_.describe());
}

Awaitable<Result<SourceTableFacts>> describe_dynamodb_table(DynamoDbClient& client,
                                                            std::string name) {
  const std::string attempted = fmt::format("describing table {} at {}", name, client.describe());
  DynamoDbRequest request{DynamoDbApi::kTables, "DescribeTable", {}};
  JsonWriter(request.body).begin_object().field("TableName", name).end_object();
  const DynamoDbAnswer answer = co_await client.call(std::move(request));
  if (!answer.done()) co_return failed(answer, attempted);
  auto table = parse_described_table(answer.reply.body);
  if (!table.ok()) co_return to_read_error(table.error(), attempted);
  co_return std::move(table->facts);
}

Awaitable<Result<SourceTableFacts>> DynamoDbSourceTable::describe() {
  return describe_dynamodb_table(client_, table_);
}

Awaitable<Result<std::optional<std::string>>> DynamoDbSourceTable::get(std::string key) {
  const std::string what = attempted("reading an item of");
  if (!is_object(key)) co_return bad_key(what);
  DynamoDbRequest request{DynamoDbApi::kTables, "GetItem", {}};
  JsonWriter json(request.body);
  json.begin_object().field("TableName", table_).field("ConsistentRead", true);
  json.key("Key").raw(key).end_object();
  const DynamoDbAnswer answer = co_await client_.call(std::move(request));
  if (!answer.done()) co_return failed(answer, what);
  auto item = parse_item_answer(answer.reply.body);
  if (!item.ok()) co_return to_read_error(item.error(), what);
  co_return std::move(item).value();
}

// Asks for the next `count` keys and gives how many of them are settled. kExhausted: the answer would be too large, and
// they are pending again.
Awaitable<Result<std::size_t>> DynamoDbSourceTable::ask(Batch& batch, std::size_t count) {
  const std::string what = attempted("reading items of");
  const auto keys = batch.take(count);
  DynamoDbRequest request{DynamoDbApi::kTables, "BatchGetItem", {}};
  JsonWriter json(request.body);
  json.begin_object().key("RequestItems").begin_object().key(table_).begin_object();
  json.field("ConsistentRead", true).key("Keys").begin_array();
  for (const auto& key : keys) json.raw(key);
  json.end_array().end_object().end_object().end_object();
  const DynamoDbAnswer answer = co_await client_.call(std::move(request));
  if (answer.too_large()) {
    batch.put_back(keys);
    co_return Error{ErrorCode::kExhausted, fmt::format("{}: {}", what, answer.why), {}};
  }
  if (!answer.done()) co_return failed(answer, what);
  auto parsed = parse_batch_answer(answer.reply.body, table_);
  if (!parsed.ok()) co_return to_read_error(parsed.error(), what);
  const std::size_t before = batch.pending();
  if (!batch.accept(*parsed, keys)) {
    co_return Error{
        ErrorCode::kUnavailable, what + ": the answer has items that were not asked for", {}};
  }
  co_return keys.size() - std::min(keys.size(), batch.pending() - before);
}

Awaitable<Result<std::vector<std::optional<std::string>>>> DynamoDbSourceTable::get_many(
    std::vector<std::string> keys) {
  PAWL_ASSERT(keys.size() <= kBatchKeysMax);
  auto batch = Batch::of(keys, attempted("reading items of"));
  if (!batch.ok()) co_return batch.error();
  const auto alarm = client_.clock().make_alarm();
  std::size_t at_once = kBatchKeysMax;
  std::uint32_t fruitless = 0;
  while (!batch->done()) {
    const std::size_t count = std::min(at_once, batch->pending());
    const Result<std::size_t> settled = co_await ask(*batch, count);
    if (!settled.ok()) {
      if (settled.error().code != ErrorCode::kExhausted || count == 1) co_return settled.error();
      at_once = count / 2;
      continue;
    }
    fruitless = *settled == 0 ? fruitless + 1 : 0;
    if (fruitless == kFruitlessMax) {
      co_return Error{ErrorCode::kUnavailable,
                      attempted("reading items of") + ": the service left all of them unprocessed",
                      "it has less throughput than is asked of it: later, or less often"};
    }
    if (*settled < count)
      co_await alarm->wait_until(client_.clock().monotonic() + client_.backoff(fruitless + 1));
  }
  co_return std::move(*batch).answers();
}

Awaitable<Result<SourceItems>> DynamoDbSourceTable::scan(std::uint32_t segment,
                                                         std::uint32_t segments, std::string after,
                                                         std::vector<std::string> attributes) {
  PAWL_ASSERT(segments >= 1 && segment < segments);
  const std::string what = attempted("scanning");
  if (!after.empty() && !is_object(after)) co_return bad_key(what);
  DynamoDbRequest request{DynamoDbApi::kTables, "Scan", {}};
  JsonWriter json(request.body);
  json.begin_object().field("TableName", table_);
  if (segments > 1) {
    json.field("Segment", std::uint64_t{segment});
    json.field("TotalSegments", std::uint64_t{segments});
  }
  if (!after.empty()) json.key("ExclusiveStartKey").raw(after);
  if (!attributes.empty()) {
    std::string projection;
    json.key("ExpressionAttributeNames").begin_object();
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      const auto name = fmt::format("#a{}", i);
      json.field(name, attributes[i]);
      projection += (i == 0 ? "" : ",") + name;
    }
    json.end_object().field("ProjectionExpression", projection);
  }
  json.end_object();
  const DynamoDbAnswer answer = co_await client_.call(std::move(request));
  if (!answer.done()) co_return failed(answer, what);
  auto page = parse_scan_answer(answer.reply.body);
  if (!page.ok()) co_return to_read_error(page.error(), what);
  co_return std::move(page).value();
}

}  // namespace pawl
