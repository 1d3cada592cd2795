// For the tests of this folder: buckets in memory, stepped by hand, crashed and opened again; and a model of what must be there.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bucket/bucket_store.h"
#include "fault/manual_clock.h"
#include "fault/memory_body_files.h"
#include "fault/memory_key_value_store.h"

namespace pawl::bucket {

class Buckets {
 public:
  Buckets() { open(); }

  void open() {
    unknown.clear();
    auto opened = BucketStore::open(
        {memory, files, clock, [this](const std::string& why) { unknown = why; }}, options);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    store = std::move(opened).value();
  }
  void crash_and_open(Random& random) {
    store.reset();
    memory.crash();
    files.crash(random);
    open();
  }

  // Submits without a round; the outcome comes to where it says.
  std::shared_ptr<std::optional<Outcome>> submit(Action action) {
    auto outcome = std::make_shared<std::optional<Outcome>>();
    store->committer().submit({std::move(action), [outcome](Outcome came) {
                                 EXPECT_FALSE(outcome->has_value()) << "answered twice";
                                 *outcome = std::move(came);
                               }});
    return outcome;
  }
  Outcome run(Action action) {
    const auto outcome = submit(std::move(action));
    store->committer().run_round();
    EXPECT_TRUE(outcome->has_value());
    return outcome->value_or(Outcome{});
  }
  BodyNumber write_file(std::string_view bytes) {
    const BodyNumber number = store->new_number();
    const auto writer = files.create(number).value();
    EXPECT_TRUE(writer->append(bytes).ok());
    EXPECT_TRUE(writer->seal().ok());
    return number;
  }
  // A body of that kind; the bytes of a file are written at once.
  BodyPlace place(BodyKind kind, const std::string& bytes) {
    BodyPlace place;
    place.kind = kind;
    if (kind == BodyKind::kFile) {
      place.number = write_file(bytes);
    } else {
      place.bytes = bytes;
      if (kind == BodyKind::kStored) place.number = store->new_number();
    }
    return place;
  }
  PutObject put(const std::string& bucket, const std::string& key, BodyKind kind,
                const std::string& bytes, Conditions conditions = {}) {
    PutObject command;
    command.bucket = bucket;
    command.key = key;
    command.record.bytes = bytes.size();
    command.record.etag = "etag of " + bytes;
    command.record.headers = {{"content-type", "text/plain"}};
    command.record.place = place(kind, bytes);
    command.conditions = std::move(conditions);
    return command;
  }

  BucketCommitterOptions options;  // of the next open()
  ManualClock clock;
  MemoryKeyValueStore memory;
  MemoryBodyFiles files;
  std::unique_ptr<BucketStore> store;
  std::string unknown;
};

}  // namespace pawl::bucket
