#include "adapter/dynamodb_lease_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "adapter/dynamodb_answers.h"
#include "base/json_writer.h"

namespace pawl {
namespace {

constexpr const char* kPermissions =
    "the credentials need dynamodb:DescribeTable, CreateTable, GetItem, PutItem, DeleteItem and "
    "Scan on the table of leases";

Error failed(const DynamoDbAnswer& answer, std::string_view attempted) {
  return to_read_error(answer, attempted, kPermissions);
}

bool is_refused(const DynamoDbAnswer& answer) {
  return answer.code == "ConditionalCheckFailedException";
}

void write_text(JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name).begin_object().field("S", text).end_object();
}

void write_number(JsonWriter& json, std::string_view name, std::uint64_t number) {
  json.key(name).begin_object().field("N", std::to_string(number)).end_object();
}

void write_key(JsonWriter& json, std::string_view name) {
  json.key("Key").begin_object();
  write_text(json, kLeaseName, name);
  json.end_object();
}

// The stored revision is `expected`; 0 = there is no such row.
void write_condition(JsonWriter& json, std::uint64_t expected) {
  json.field("ConditionExpression", expected == 0 ? "attribute_not_exists(#r)" : "#r = :r");
  json.key("ExpressionAttributeNames").begin_object().field("#r", kLeaseRevision).end_object();
  if (expected == 0) return;
  json.key("ExpressionAttributeValues").begin_object();
  write_number(json, ":r", expected);
  json.end_object();
}

std::string table_definition(std::string_view table) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("TableName", table).field("BillingMode", "PAY_PER_REQUEST");
  json.key("AttributeDefinitions").begin_array().begin_object();
  json.field("AttributeName", kLeaseName).field("AttributeType", "S").end_object().end_array();
  json.key("KeySchema").begin_array().begin_object();
  json.field("AttributeName", kLeaseName).field("KeyType", "HASH").end_object().end_array();
  json.end_object();
  return body;
}

std::string why_impossible(std::string_view name, std::string_view value) {
  if (name.empty() || name.size() > kLeaseNameMax)
    return fmt::format("a lease's name has 1 to {} bytes", kLeaseNameMax);
  if (value.size() > kLeaseValueMax)
    return fmt::format("a lease's value has at most {} bytes", kLeaseValueMax);
  return {};
}

}  // namespace

SignedClientOptions lease_client_options() {
  SignedClientOptions options;
  options.attempt_timeout = std::chrono::milliseconds(1000);
  options.retry.attempts_max = 4;
  options.retry.backoff_last = std::chrono::milliseconds(200);
  options.retry.deadline = std::chrono::milliseconds(2500);
  options.connections_max = 16;
  return options;
}

std::string DynamoDbLeaseStore::attempted(std::string_view what) const {
  return fmt::format("{} in table {} at {}", what, table_, client_.describe());
}

// False while the table is not there, or not yet.
Awaitable<Result<bool>> DynamoDbLeaseStore::is_ready() {
  const std::string what = attempted("looking for leases");
  DynamoDbRequest request{DynamoDbApi::kTables, "DescribeTable", {}};
  JsonWriter(request.body).begin_object().field("TableName", table_).end_object();
  const DynamoDbAnswer answer = co_await client_.call(std::move(request));
  if (!answer.done()) co_return failed(answer, what);
  const auto table = parse_described_table(answer.reply.body);
  if (!table.ok()) co_return to_read_error(table.error(), what);
  const auto& facts = table->facts;
  if (facts.partition.name != kLeaseName || facts.partition.type != 'S' || facts.sort) {
    co_return Error{ErrorCode::kInvalid,
                    fmt::format("{}: its key is not \"{}\" (S) alone, so it is a table of another "
                                "use",
                                what, kLeaseName),
                    "name another table for the leases"};
  }
  co_return table->status == "ACTIVE" || table->status == "UPDATING";
}

Awaitable<Status> DynamoDbLeaseStore::create() {
  DynamoDbRequest request{DynamoDbApi::kTables, "CreateTable", table_definition(table_)};
  const DynamoDbAnswer answer = co_await client_.call(std::move(request));
  // Somebody else's, or one's own before an answer was lost; whether it is there is asked next.
  if (answer.done() || answer.code == "ResourceInUseException" ||
      answer.outcome == RemoteOutcome::kUnknown)
    co_return ok();
  co_return failed(answer, attempted("making room for leases"));
}

Awaitable<Status> DynamoDbLeaseStore::create_if_absent() {
  const auto start = client_.clock().monotonic();
  const auto alarm = client_.clock().make_alarm();
  bool created = false;
  for (;;) {
    const Result<bool> ready = co_await is_ready();
    if (ready.ok() && *ready) co_return ok();
    if (!ready.ok() && ready.error().code != ErrorCode::kNotFound) co_return ready.error();
    if (!ready.ok() && !created) {
      const Status made = co_await create();
      if (!made.ok()) co_return made.error();
      created = true;
    }
    // A table that was just made may not be found at first.
    if (client_.clock().monotonic() - start > kTableWait) {
      co_return Error{ErrorCode::kUnavailable,
                      attempted("making room for leases") + ": the table does not become active",
                      "look at its status"};
    }
    co_await alarm->wait_until(client_.clock().monotonic() + kTableTurn);
  }
}

Awaitable<Result<std::vector<LeaseRow>>> DynamoDbLeaseStore::list(std::string prefix) {
  const std::string what = attempted("listing leases");
  std::vector<LeaseRow> rows;
  std::string after;
  do {
    DynamoDbRequest request{DynamoDbApi::kTables, "Scan", {}};
    JsonWriter json(request.body);
    json.begin_object().field("TableName", table_).field("ConsistentRead", true);
    if (!after.empty()) json.key("ExclusiveStartKey").raw(after);
    if (!prefix.empty()) {
      json.field("FilterExpression", "begins_with(#n, :p)");
      json.key("ExpressionAttributeNames").begin_object().field("#n", kLeaseName).end_object();
      json.key("ExpressionAttributeValues").begin_object();
      write_text(json, ":p", prefix);
      json.end_object();
    }
    json.end_object();
    const DynamoDbAnswer answer = co_await client_.call(std::move(request));
    if (!answer.done()) co_return failed(answer, what);
    auto page = parse_lease_page(answer.reply.body);
    if (!page.ok()) co_return to_read_error(page.error(), what);
    if (rows.size() + page->rows.size() > kRowsMax ||
        (!page->next.empty() && page->next == after)) {
      co_return Error{ErrorCode::kUnavailable, what + ": the listing does not end", {}};
    }
    for (auto& row : page->rows) rows.push_back(std::move(row));
    after = std::move(page->next);
  } while (!after.empty());
  std::sort(rows.begin(), rows.end(),
            [](const LeaseRow& a, const LeaseRow& b) { return a.name < b.name; });
  co_return rows;
}

Awaitable<Result<std::optional<LeaseRow>>> DynamoDbLeaseStore::get(std::string name) {
  const std::string what = attempted("reading lease " + name);
  if (!why_impossible(name, "").empty()) co_return std::optional<LeaseRow>{};
  DynamoDbRequest request{DynamoDbApi::kTables, "GetItem", {}};
  JsonWriter json(request.body);
  json.begin_object().field("TableName", table_).field("ConsistentRead", true);
  write_key(json, name);
  json.end_object();
  const DynamoDbAnswer answer = co_await client_.call(std::move(request));
  if (!answer.done()) co_return failed(answer, what);
  auto row = parse_lease_answer(answer.reply.body);
  if (!row.ok()) co_return to_read_error(row.error(), what);
  if (row->has_value() && (*row)->name != name)
    co_return Error{ErrorCode::kUnavailable, what + ": the answer is about another row", {}};
  co_return std::move(row).value();
}

Awaitable<DynamoDbAnswer> DynamoDbLeaseStore::write(std::string body, const char* operation) {
  DynamoDbRequest request{DynamoDbApi::kTables, operation, std::move(body)};
  co_return co_await client_.call(std::move(request));
}

namespace {

// Of an answer that is not about the condition, or whose condition nothing more needs to be known about.
LeaseResult to_result(const DynamoDbAnswer& answer, std::string_view attempted) {
  if (answer.done()) return {LeaseOutcome::kDone, {}};
  const auto why = failed(answer, attempted).to_string();
  if (answer.outcome == RemoteOutcome::kUnknown) return {LeaseOutcome::kUnknown, why};
  return {is_refused(answer) ? LeaseOutcome::kConflict : LeaseOutcome::kNotDone, why};
}

}  // namespace

Awaitable<LeaseResult> DynamoDbLeaseStore::put(std::string name, std::uint64_t expected,
                                               std::string value) {
  const std::string what = attempted("writing lease " + name);
  const auto impossible = why_impossible(name, value);
  if (!impossible.empty()) co_return LeaseResult{LeaseOutcome::kNotDone, what + ": " + impossible};
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("TableName", table_).key("Item").begin_object();
  write_text(json, kLeaseName, name);
  write_number(json, kLeaseRevision, expected + 1);
  write_text(json, kLeaseValue, value);
  json.end_object();
  write_condition(json, expected);
  json.end_object();
  const DynamoDbAnswer answer = co_await write(std::move(body), "PutItem");
  auto result = to_result(answer, what);
  if (result.outcome != LeaseOutcome::kUnknown || !is_refused(answer)) co_return result;
  // One's own earlier attempt may be what refused it.
  const auto found = co_await get(name);
  if (!found.ok() || !found->has_value() || (*found)->revision != expected + 1) co_return result;
  const bool own = (*found)->value == value;
  co_return LeaseResult{own ? LeaseOutcome::kDone : LeaseOutcome::kConflict,
                        own ? std::string() : result.why};
}

Awaitable<LeaseResult> DynamoDbLeaseStore::erase(std::string name, std::uint64_t expected) {
  const std::string what = attempted("erasing lease " + name);
  const auto impossible = why_impossible(name, "");
  if (!impossible.empty() || expected == 0)
    co_return LeaseResult{LeaseOutcome::kConflict, what + ": there is no such row"};
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("TableName", table_);
  write_key(json, name);
  write_condition(json, expected);
  json.end_object();
  const DynamoDbAnswer answer = co_await write(std::move(body), "DeleteItem");
  auto result = to_result(answer, what);
  if (result.outcome != LeaseOutcome::kUnknown || !is_refused(answer)) co_return result;
  const auto found = co_await get(name);
  if (!found.ok()) co_return result;
  if (!found->has_value()) co_return LeaseResult{LeaseOutcome::kDone, {}};
  // It went on growing: this revision was never erased.
  if ((*found)->revision > expected) result.outcome = LeaseOutcome::kConflict;
  co_return result;
}

}  // namespace pawl
