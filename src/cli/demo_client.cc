#include "cli/demo_client.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <thread>

namespace pawl::cli {
namespace {

constexpr std::chrono::seconds kTimeout{20};
constexpr std::string_view kKey = R"({{"TableName":"users","Key":{{"hashid":{{"S":"{}"}}}}{}}})";

}  // namespace

Result<std::string> DemoClient::call(std::string_view operation, const std::string& body) {
  PAWL_ASSIGN_OR_RETURN(
      auto answer, http_.request("POST", endpoint_,
                                 {{"Content-Type", "application/x-amz-json-1.0"},
                                  {"X-Amz-Target", fmt::format("DynamoDB_20120810.{}", operation)}},
                                 body, kTimeout));
  if (answer.status != 200) {
    return Error{ErrorCode::kUnavailable, fmt::format("{} failed: {}", operation, answer.body), ""};
  }
  return std::move(answer.body);
}

Status DemoClient::create_table() {
  PAWL_TRY(call(
      "CreateTable",
      R"({"TableName":"users","AttributeDefinitions":[{"AttributeName":"hashid","AttributeType":"S"}],)"
      R"("KeySchema":[{"AttributeName":"hashid","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"})"));
  return ok();
}

Status DemoClient::add_user(const std::string& hashid) {
  PAWL_TRY(
      call("PutItem",
           fmt::format(
               R"({{"TableName":"users","Item":{{"hashid":{{"S":"{}"}},"_version":{{"N":"0"}}}}}})",
               hashid)));
  return ok();
}

Result<std::uint64_t> DemoClient::count_up(const std::string& hashid) {
  PAWL_ASSIGN_OR_RETURN(
      const auto body,
      call("UpdateItem",
           fmt::format(
               kKey, hashid,
               R"(,"UpdateExpression":"ADD #v :one","ExpressionAttributeNames":{"#v":"_version"},)"
               R"("ExpressionAttributeValues":{":one":{"N":"1"}},"ReturnValues":"UPDATED_NEW")")));
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  std::string_view text;
  if (parser.parse(body).get(document) != simdjson::SUCCESS ||
      document["Attributes"]["_version"]["N"].get(text) != simdjson::SUCCESS) {
    return Error{ErrorCode::kInternal, "UpdateItem answered without the new version: " + body, ""};
  }
  std::uint64_t version = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), version).ec != std::errc()) {
    return Error{ErrorCode::kInternal, "the new version is no number: " + body, ""};
  }
  return version;
}

Status DemoClient::remove_user(const std::string& hashid) {
  PAWL_TRY(call("DeleteItem", fmt::format(kKey, hashid, "")));
  return ok();
}

Result<DemoClient::Lag> DemoClient::lag() {
  PAWL_ASSIGN_OR_RETURN(const auto answer,
                        http_.request("GET", endpoint_ + "/status", {}, "", kTimeout));
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  simdjson::dom::array shards;
  Lag lag;
  if (parser.parse(answer.body).get(document) != simdjson::SUCCESS ||
      document["lag"].get(lag.changes) != simdjson::SUCCESS ||
      document["oldest_age_ms"].get(lag.oldest_ms) != simdjson::SUCCESS ||
      document["shards"].get(shards) != simdjson::SUCCESS) {
    return Error{ErrorCode::kInternal, "the server's status can't be read: " + answer.body, ""};
  }
  for (const simdjson::dom::element shard : shards) {
    std::string_view why;
    if (shard["why"].get(why) == simdjson::SUCCESS) lag.why = why;
  }
  return lag;
}

Status DemoClient::wait_archived(std::chrono::seconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    PAWL_ASSIGN_OR_RETURN(const auto now, lag());
    if (now.changes == 0) return ok();
    if (std::chrono::steady_clock::now() > end) {
      return Error{ErrorCode::kUnavailable,
                   fmt::format("{} changes are not archived after {} s: {}", now.changes,
                               timeout.count(), now.why),
                   ""};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace pawl::cli
