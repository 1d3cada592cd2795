#include "wire/lambda_mappings.h"

#include <simdjson.h>

#include <map>

#include "wire/lambda_mapping_input.h"
#include "wire/streams_fixture_test.h"

namespace pawl::wire {
namespace {

using trigger::MappingAnswer;
using trigger::MappingId;
using trigger::MappingRefusal;
using trigger::MappingStatus;

// Does what it is told, at once.
class ListedMappings final : public trigger::MappingDesk {
 public:
  std::map<MappingId, MappingStatus> mappings;

  void create(trigger::MappingConfig config, trigger::MappingSource source,
              trigger::MappingDone done) override {
    MappingStatus status;
    status.record.id.fill(static_cast<std::uint8_t>(mappings.size() + 1));
    status.record.config = std::move(config);
    status.record.source = std::move(source);
    status.record.modified = {1'795'372'535'771'000};
    mappings[status.record.id] = status;
    done(status);
  }
  void update(const MappingId& id, trigger::MappingChanges changes,
              trigger::MappingDone done) override {
    const auto found = mappings.find(id);
    if (found == mappings.end())
      return done(trigger::MappingFailure{MappingRefusal::kNotFound, "no"});
    found->second.record.config = trigger::changed(found->second.record.config, changes);
    found->second.state = trigger::MappingState::kUpdating;
    done(found->second);
  }
  void remove(const MappingId& id, trigger::MappingDone done) override {
    const auto found = mappings.find(id);
    if (found == mappings.end())
      return done(trigger::MappingFailure{MappingRefusal::kNotFound, "no"});
    const MappingStatus status = found->second;
    mappings.erase(found);
    done(status);
  }
  std::optional<MappingStatus> find(const MappingId& id) const override {
    const auto found = mappings.find(id);
    return found == mappings.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<MappingStatus> list() const override {
    std::vector<MappingStatus> all;
    for (const auto& [id, status] : mappings) all.push_back(status);
    return all;
  }
};

struct Taken final : Responder {
  std::optional<HttpResponse> response;
  void respond(std::optional<HttpResponse> given) override { response = std::move(given); }
};

class LambdaMappingsTest : public StreamsServiceTest {
 protected:
  LambdaMappingsTest() {
    create("users", table::StreamView::kNewAndOldImages, 2);
    const auto streams = tables_.streams->list("users", "", "", 1);
    arn_ = stream_arn("us-east-1", "users", streams.at(0).facts->label);
    mappings_ = std::make_unique<LambdaMappings>(
        desk_, *tables_.streams, [](std::string_view name) { return name == "f" || name == "g"; });
  }

  HttpResponse ask(std::string_view method, std::string_view path, std::string body = {}) {
    const std::string target = std::string(kMappingsPath) + std::string(path);
    const std::size_t size = body.size();
    body.append(kBodyPadding, '\0');
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = std::string_view(body.data(), size);
    auto taken = std::make_shared<Taken>();
    mappings_->serve(request, {}, Completion(taken));
    EXPECT_TRUE(taken->response.has_value());
    return taken->response.value_or(HttpResponse{});
  }
  HttpResponse make(const std::string& more, const std::string& function = "f") {
    return ask("POST", "/",
               R"({"EventSourceArn":")" + arn_ + R"(","FunctionName":")" + function +
                   R"(","StartingPosition":"TRIM_HORIZON")" + more + "}");
  }
  static std::string error_of(const HttpResponse& response) {
    for (const auto& [name, value] : response.headers) {
      if (name == "x-amzn-ErrorType") return value;
    }
    return {};
  }
  void expect_refused(const HttpResponse& response, std::string_view type,
                      std::string_view words = {}) {
    EXPECT_GE(response.status, 400U);
    EXPECT_EQ(error_of(response), type) << response.body;
    EXPECT_NE(response.body.find(words), std::string::npos) << response.body;
  }

  ListedMappings desk_;
  std::string arn_;
  std::unique_ptr<LambdaMappings> mappings_;
};

TEST_F(LambdaMappingsTest, DefaultsAreTheServices) {
  const auto response = make("");
  EXPECT_EQ(response.status, 202U);
  EXPECT_EQ(
      response.body,
      R"({"UUID":"01010101-0101-0101-0101-010101010101","StartingPosition":"TRIM_HORIZON",)"
      R"("BatchSize":100,"MaximumBatchingWindowInSeconds":0,"ParallelizationFactor":1,)"
      R"("EventSourceArn":")" +
          arn_ +
          R"(","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:f",)"
          R"("LastModified":1795372535.771,"LastProcessingResult":"No records processed",)"
          R"("State":"Creating","StateTransitionReason":"User action","DestinationConfig":{},)"
          R"("MaximumRecordAgeInSeconds":-1,"BisectBatchOnFunctionError":false,)"
          R"("MaximumRetryAttempts":-1,"TumblingWindowInSeconds":0,"FunctionResponseTypes":[]})");
}

TEST_F(LambdaMappingsTest, EverythingIsTaken) {
  const auto response = make(
      R"(,"BatchSize":10000,"MaximumBatchingWindowInSeconds":300,"ParallelizationFactor":1,)"
      R"("MaximumRetryAttempts":0,"MaximumRecordAgeInSeconds":60,"BisectBatchOnFunctionError":true,)"
      R"("FunctionResponseTypes":["ReportBatchItemFailures"],"Enabled":false,"DestinationConfig":)"
      R"({"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:000000000000:q"}},)"
      R"("FilterCriteria":{"Filters":[{"Pattern":"{\"eventName\":[\"INSERT\"]}"}]})");
  EXPECT_EQ(response.status, 202U) << response.body;
  const auto& config = desk_.mappings.begin()->second.record.config;
  EXPECT_EQ(config.batch_size, 10'000U);
  EXPECT_EQ(config.window.count(), 300);
  EXPECT_EQ(config.retries_max, 0U);
  EXPECT_EQ(config.age_max, trigger::seconds(60));
  EXPECT_TRUE(config.bisect && config.reports_items && !config.enabled);
  EXPECT_EQ(config.on_failure, "arn:aws:sqs:us-east-1:000000000000:q");
  EXPECT_EQ(config.filters.size(), 1U);
  const auto& source = desk_.mappings.begin()->second.record.source;
  EXPECT_EQ(source.shards, 2U);
  EXPECT_EQ(source.view, "NEW_AND_OLD_IMAGES");
}

TEST_F(LambdaMappingsTest, WhatIsWrongIsRefused) {
  const std::string invalid = "InvalidParameterValueException";
  for (const auto* more :
       {R"(,"BatchSize":0)", R"(,"BatchSize":10001)", R"(,"MaximumBatchingWindowInSeconds":301)",
        R"(,"MaximumRetryAttempts":-2)", R"(,"MaximumRetryAttempts":10001)",
        R"(,"MaximumRecordAgeInSeconds":59)", R"(,"MaximumRecordAgeInSeconds":604801)",
        R"(,"FunctionResponseTypes":["Nonsense"])",
        R"(,"FilterCriteria":{"Filters":[{"Pattern":"nonsense"}]})",
        R"(,"DestinationConfig":{"OnFailure":{"Destination":"nonsense"}})"}) {
    expect_refused(make(more), invalid);
  }
  expect_refused(ask("POST", "/", "{}"), invalid);
  expect_refused(ask("POST", "/", "nonsense"), "SerializationException");
  expect_refused(ask("POST", "/",
                     R"({"EventSourceArn":"arn:aws:kinesis:x","FunctionName":"f",)"
                     R"("StartingPosition":"LATEST"})"),
                 invalid);
  const std::string begin = R"({"EventSourceArn":")" + arn_ + R"(","FunctionName":"f")";
  expect_refused(ask("POST", "/", begin + "}"), invalid, "startingPosition");
  expect_refused(ask("POST", "/", begin + R"(,"StartingPosition":"AT_TIMESTAMP"})"), invalid,
                 "AT_TIMESTAMP");
  expect_refused(make("", "nobody"), "ResourceNotFoundException", "Function not found");
  expect_refused(make("", "f:1"), "UnsupportedOperationException", "aliases");
  EXPECT_EQ(make("", "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST").status, 202U);
  EXPECT_EQ(desk_.mappings.size(), 1U);
}

TEST_F(LambdaMappingsTest, WhatPawlDoesNotHaveIsNamed) {
  const std::string unsupported = "UnsupportedOperationException";
  expect_refused(make(R"(,"ParallelizationFactor":2)"), unsupported, "ParallelizationFactor");
  expect_refused(make(R"(,"TumblingWindowInSeconds":30)"), unsupported, "TumblingWindow");
  expect_refused(make(R"(,"Topics":["t"])"), unsupported, "Topics");
  expect_refused(make(R"(,"DestinationConfig":{"OnSuccess":{}})"), unsupported, "OnSuccess");
  expect_refused(make(R"(,"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sns:x:y:z"}})"),
                 unsupported, "topic");
}

TEST_F(LambdaMappingsTest, GetUpdateDelete) {
  make("");
  const std::string path = "/01010101-0101-0101-0101-010101010101";
  EXPECT_EQ(ask("GET", path).status, 200U);
  const auto updated =
      ask("PUT", path, R"({"BatchSize":7,"MaximumRetryAttempts":3,"Enabled":false})");
  EXPECT_EQ(updated.status, 202U);
  EXPECT_NE(updated.body.find(R"("State":"Updating")"), std::string::npos);
  EXPECT_NE(updated.body.find(R"("BatchSize":7)"), std::string::npos);
  EXPECT_NE(
      ask("PUT", path, R"({"MaximumRetryAttempts":-1})").body.find(R"("MaximumRetryAttempts":-1)"),
      std::string::npos);
  expect_refused(ask("PUT", path, R"({"FunctionName":"nobody"})"), "ResourceNotFoundException");
  const auto deleted = ask("DELETE", path);
  EXPECT_EQ(deleted.status, 202U);
  EXPECT_NE(deleted.body.find(R"("State":"Deleting")"), std::string::npos);
  for (const auto* method : {"GET", "DELETE"}) {
    expect_refused(ask(method, path), "ResourceNotFoundException");
  }
  expect_refused(ask("GET", "/nonsense"), "ResourceNotFoundException");
  expect_refused(ask("PATCH", path), "UnknownOperationException");
}

TEST_F(LambdaMappingsTest, ListsInPages) {
  for (int i = 0; i < 5; ++i) make("", i % 2 == 0 ? "f" : "g");
  const auto count = [](const HttpResponse& response) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = response.body.find("\"UUID\"", at)) != std::string::npos; ++at)
      ++found;
    return found;
  };
  const auto first = ask("GET", "/?MaxItems=2");
  EXPECT_EQ(count(first), 2U);
  EXPECT_NE(first.body.find(R"("NextMarker":"02020202-)"), std::string::npos);
  EXPECT_EQ(count(ask("GET", "/?MaxItems=10&Marker=02020202-0202-0202-0202-020202020202")), 3U);
  EXPECT_EQ(count(ask("GET", "?FunctionName=g")), 2U);
  std::string encoded;
  for (const char c : arn_) encoded += c == ':' ? "%3A" : std::string(1, c);
  EXPECT_EQ(count(ask("GET", "/?EventSourceArn=" + encoded)), 5U);
  EXPECT_EQ(count(ask("GET", "/?EventSourceArn=other")), 0U);
  expect_refused(ask("GET", "/?MaxItems=0"), "InvalidParameterValueException");
  expect_refused(ask("GET", "/?Marker=x"), "InvalidParameterValueException");
  expect_refused(ask("GET", "/?FunctionName=%zz"), "InvalidParameterValueException");
}

TEST(LambdaMappings, KnowsItsTargets) {
  EXPECT_TRUE(is_mappings_target("/2015-03-31/event-source-mappings/"));
  EXPECT_TRUE(is_mappings_target("/2015-03-31/event-source-mappings?MaxItems=1"));
  EXPECT_TRUE(is_mappings_target("/2015-03-31/event-source-mappings/x"));
  EXPECT_FALSE(is_mappings_target("/2015-03-31/event-source-mappingsx"));
  EXPECT_FALSE(is_mappings_target("/2015-03-31/functions"));
}

}  // namespace
}  // namespace pawl::wire
