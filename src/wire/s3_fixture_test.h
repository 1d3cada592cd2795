// For tests and fuzz targets: S3 over buckets in memory, with the commit rounds and the workers' work done on the spot.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bucket/bucket_store.h"
#include "fault/memory_body_files.h"
#include "fault/memory_key_value_store.h"
#include "wire/fake_table_test.h"
#include "wire/s3_service.h"

namespace pawl::wire {

class StandingClock final : public Clock {
 public:
  Instant now() override { return {1'800'000'000'000'000}; }
  MonotonicInstant monotonic() override { return {0}; }
  std::unique_ptr<Alarm> make_alarm() override { return nullptr; }
};

class S3InMemory {
 public:
  explicit S3InMemory(std::vector<AccessKey> keys = {}, S3ArchiveBucket archive = {})
      : gate_(std::move(keys)) {
    store_ = bucket::BucketStore::open({records_, files_, clock_, [](const std::string&) {}}, {})
                 .value();
    store_->committer().set_waker([this] { store_->committer().run_round(); });
    service_.emplace(
        gate_, *store_, std::move(archive), random_, [this] { return clock_.now(); },
        [](const std::function<void()>& work) { work(); });
  }

  using Headers = std::vector<std::pair<std::string, std::string>>;
  // The answer of one request whose body has come whole.
  HttpResponse ask(std::string_view method, std::string_view target, const std::string& body = {},
                   const Headers& headers = {}) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.id = "id";
    request.headers.push_back({"host", "127.0.0.1:8000"});
    for (const auto& [name, value] : headers) request.headers.push_back({name, value});
    const auto responder = std::make_shared<FakeResponder>();
    service_->serve(request, Completion(responder));
    calls = responder->calls;
    return responder->response.value_or(HttpResponse{});
  }

  // What no request can ask for.
  void submit(bucket::Action action) {
    store_->committer().submit({std::move(action), [](const bucket::Outcome&) {}});
  }
  std::optional<bucket::BucketRecord> bucket(const std::string& name) {
    return store_->bucket(name).value();
  }

  // Damage: the records name bodies that are not there.
  void lose_stored_bodies() {
    WriteBatch batch;
    const auto cursor = records_.cursor(bucket::kBodies);
    for (cursor->seek(""); cursor->valid(); cursor->next())
      batch.erase(bucket::kBodies, std::string(cursor->key()));
    static_cast<void>(records_.write(batch, Sync::kYes));
  }

  // All bytes of an answer, also of one whose body has a source; what is missing is missing here.
  static std::string bytes_of(const HttpResponse& response) {
    std::string bytes = response.body;
    bool more = response.source != nullptr;
    while (more && bytes.size() < response.length) {
      response.source->read([&](const std::optional<std::string>& piece) {
        more = piece && !piece->empty();
        if (more) bytes += *piece;
      });
    }
    return bytes;
  }

  int calls = 0;  // how often the last request was answered

 private:
  StandingClock clock_;
  SeededRandom random_{1};
  MemoryKeyValueStore records_;
  MemoryBodyFiles files_;
  AccessGate gate_;
  std::unique_ptr<bucket::BucketStore> store_;
  std::optional<S3Service> service_;
};

}  // namespace pawl::wire
