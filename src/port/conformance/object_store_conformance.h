// What every ObjectStore must do. A test file of an implementation includes this and instantiates:
//   INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance, testing::Values(make_memory_harness));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "port/conformance/run_awaitable.h"
#include "port/object_store.h"

namespace pawl {

class ObjectStoreHarness {
 public:
  virtual ~ObjectStoreHarness() = default;
  virtual ObjectStore& store() = 0;
  // Ends the process without warning and starts it again, as far as the implementation can.
  virtual void restart() = 0;
};

using ObjectStoreHarnessFactory = std::unique_ptr<ObjectStoreHarness> (*)();

class ObjectStoreConformance : public testing::TestWithParam<ObjectStoreHarnessFactory> {
 protected:
  using Objects = std::vector<std::pair<std::string, std::string>>;

  std::vector<PutOutcome> put(const Objects& objects) {
    std::vector<PutRequest> requests;
    for (const auto& [name, body] : objects) requests.push_back({name, body, sha256(body)});
    std::vector<PutOutcome> outcomes;
    for (const PutResult& result : run_awaitable(harness_->store().put_if_absent(requests))) {
      outcomes.push_back(result.outcome);
    }
    return outcomes;
  }
  PutOutcome put(std::string name, std::string body) { return put({{name, body}}).at(0); }
  std::optional<std::string> get(std::string_view name) {
    auto body = run_awaitable(harness_->store().get(name, 1 << 20));
    EXPECT_TRUE(body.ok()) << body.error().to_string();
    return body.ok() ? *body : std::nullopt;
  }
  void set_aside(std::vector<std::string> names) {
    const Status status = run_awaitable(harness_->store().set_aside(names));
    EXPECT_TRUE(status.ok()) << status.error().to_string();
  }

  std::unique_ptr<ObjectStoreHarness> harness_ = GetParam()();
};

TEST_P(ObjectStoreConformance, AnAbsentObjectIsNothing) {
  EXPECT_EQ(get("a"), std::nullopt);
  EXPECT_EQ(get("a/b/c"), std::nullopt);
}

TEST_P(ObjectStoreConformance, StoresAndReads) {
  const std::string bytes("\0\xff\n\0", 4);
  EXPECT_EQ(put("logs/A000001-0.log", "hello"), PutOutcome::kStored);
  EXPECT_EQ(put("a/b/c/d", bytes), PutOutcome::kStored);
  EXPECT_EQ(put("top", ""), PutOutcome::kStored);
  EXPECT_EQ(get("logs/A000001-0.log"), "hello");
  EXPECT_EQ(get("a/b/c/d"), bytes);
  EXPECT_EQ(get("top"), "");
  EXPECT_EQ(get("a/b"), std::nullopt);
}

TEST_P(ObjectStoreConformance, NeverOverwrites) {
  EXPECT_EQ(put("a", "one"), PutOutcome::kStored);
  EXPECT_EQ(put("a", "one"), PutOutcome::kAlreadyEqual);
  EXPECT_EQ(put("a", "two"), PutOutcome::kAlreadyDifferent);
  EXPECT_EQ(put("a", "on"), PutOutcome::kAlreadyDifferent);
  EXPECT_EQ(put("a", ""), PutOutcome::kAlreadyDifferent);
  EXPECT_EQ(get("a"), "one");
}

TEST_P(ObjectStoreConformance, ABatchIsAnsweredInOrder) {
  EXPECT_EQ(put("x/2", "old"), PutOutcome::kStored);
  EXPECT_THAT(put({{"x/1", "1"},
                   {"x/2", "new"},
                   {"x/1", "1"},
                   {"x/1", "other"},
                   {"y/1", "1"},
                   {"x/2", "old"}}),
              testing::ElementsAre(PutOutcome::kStored, PutOutcome::kAlreadyDifferent,
                                   PutOutcome::kAlreadyEqual, PutOutcome::kAlreadyDifferent,
                                   PutOutcome::kStored, PutOutcome::kAlreadyEqual));
  EXPECT_EQ(get("x/1"), "1");
  EXPECT_EQ(get("x/2"), "old");
}

TEST_P(ObjectStoreConformance, AnEmptyBatchIsAnswered) { EXPECT_TRUE(put(Objects{}).empty()); }

TEST_P(ObjectStoreConformance, LargeBatchesAndBodies) {
  Objects objects;
  for (int i = 0; i < 1500; ++i) {
    objects.emplace_back("d" + std::to_string(i % 100) + "/o" + std::to_string(i),
                         std::string(static_cast<std::size_t>(i), 'b'));
  }
  objects.emplace_back("large", std::string(900'000, 'l'));
  EXPECT_THAT(put(objects), testing::Each(PutOutcome::kStored));
  EXPECT_THAT(put(objects), testing::Each(PutOutcome::kAlreadyEqual));
  for (const auto& [name, body] : objects) ASSERT_EQ(get(name), body);
}

TEST_P(ObjectStoreConformance, AnObjectMayStandBesideAPrefixOfItsName) {
  EXPECT_EQ(put("a", "file first"), PutOutcome::kStored);
  EXPECT_EQ(put("a/b", "then below"), PutOutcome::kStored);
  EXPECT_EQ(put("a/b/c", "and deeper"), PutOutcome::kStored);
  EXPECT_EQ(put("p/q", "directory first"), PutOutcome::kStored);
  EXPECT_EQ(put("p", "then the file"), PutOutcome::kStored);
  EXPECT_THAT(put({{"r/s", "1"}, {"r", "2"}, {"r/s", "1"}, {"r", "2"}}),
              testing::ElementsAre(PutOutcome::kStored, PutOutcome::kStored,
                                   PutOutcome::kAlreadyEqual, PutOutcome::kAlreadyEqual));
  harness_->restart();
  EXPECT_EQ(get("a"), "file first");
  EXPECT_EQ(get("a/b"), "then below");
  EXPECT_EQ(get("a/b/c"), "and deeper");
  EXPECT_EQ(get("p/q"), "directory first");
  EXPECT_EQ(get("p"), "then the file");
  EXPECT_EQ(put("a/b", "then below"), PutOutcome::kAlreadyEqual);
  EXPECT_EQ(put("a/b", "else"), PutOutcome::kAlreadyDifferent);
  EXPECT_EQ(put("p", "else"), PutOutcome::kAlreadyDifferent);
}

TEST_P(ObjectStoreConformance, NamesAreAnyText) {
  const Objects objects = {{"\xe6\x97\xa5\xe6\x9c\xac/\xe8\xaa\x9e", "utf-8"},
                           {"with space/and \"quotes\"", "1"},
                           {"-rf", "2"},
                           {"~/x", "3"},
                           {"%2F", "4"},
                           {"A", "upper"},
                           {"a", "lower"},
                           {std::string(200, 'x') + "/" + std::string(200, 'y'), "long"}};
  EXPECT_THAT(put(objects), testing::Each(PutOutcome::kStored));
  for (const auto& [name, body] : objects) EXPECT_EQ(get(name), body);
}

TEST_P(ObjectStoreConformance, ReadsNoMoreThanWanted) {
  EXPECT_EQ(put("a", "12345"), PutOutcome::kStored);
  EXPECT_TRUE(run_awaitable(harness_->store().get("a", 5)).ok());
  auto body = run_awaitable(harness_->store().get("a", 4));
  ASSERT_FALSE(body.ok());
  EXPECT_EQ(body.error().code, ErrorCode::kInvalid);
}

TEST_P(ObjectStoreConformance, StoredObjectsSurviveARestart) {
  EXPECT_THAT(put({{"a/1", "1"}, {"b/1", "2"}}), testing::Each(PutOutcome::kStored));
  harness_->restart();
  EXPECT_EQ(get("a/1"), "1");
  EXPECT_EQ(get("b/1"), "2");
  EXPECT_EQ(put("a/1", "1"), PutOutcome::kAlreadyEqual);
  EXPECT_EQ(put("a/1", "2"), PutOutcome::kAlreadyDifferent);
}

TEST_P(ObjectStoreConformance, WhatIsSetAsideCanBePutAgain) {
  EXPECT_THAT(put({{"a", "1"}, {"a/b", "2"}, {"c/d", "3"}, {"kept", "4"}}),
              testing::Each(PutOutcome::kStored));
  set_aside({"a", "a/b", "c/d", "never/was"});
  set_aside({"a"});
  EXPECT_EQ(get("kept"), "4");
  EXPECT_THAT(put({{"a", "1"}, {"a/b", "2"}, {"c/d", "3"}, {"kept", "4"}}),
              testing::Each(testing::AnyOf(PutOutcome::kStored, PutOutcome::kAlreadyEqual)));
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("a/b"), "2");
  EXPECT_EQ(get("c/d"), "3");
}

}  // namespace pawl
