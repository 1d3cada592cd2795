// The demo's client: speaks the DynamoDB API over HTTP to a server, as anybody else would.
#pragma once

#include <string>
#include <string_view>

#include "adapter/http_client.h"
#include "base/result.h"

namespace pawl::cli {

// One thread at a time.
class DemoClient {
 public:
  explicit DemoClient(std::string endpoint) : endpoint_(std::move(endpoint)) {}

  Status create_table();
  // A new item with `_version` 0.
  Status add_user(const std::string& hashid);
  // ADD #v :one; returns the new `_version`.
  Result<std::uint64_t> count_up(const std::string& hashid);
  Status remove_user(const std::string& hashid);

  struct Lag {
    std::uint64_t changes = 0;
    std::uint64_t oldest_ms = 0;
    std::string why;  // of a shard that stands still
  };
  Result<Lag> lag();
  // Waits until nothing is held any more. Errors: kUnavailable after `timeout`.
  Status wait_archived(std::chrono::seconds timeout);

 private:
  Result<std::string> call(std::string_view operation, const std::string& body);

  std::string endpoint_;
  HttpClient http_;
};

}  // namespace pawl::cli
