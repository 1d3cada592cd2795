// The whole server with all its threads at once, for ThreadSanitizer: clients write and read, others look at status and
// metrics, housekeeping goes on, tables come and go, and it stops in the middle of it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "adapter/directory_archive_view.h"
#include "adapter/ed25519_check.h"
#include "adapter/http_client.h"
#include "adapter/temporary_directory.h"
#include "audit/verifier.h"
#include "server/server.h"

namespace pawl::server {
namespace {

constexpr std::chrono::seconds kTimeout{30};
constexpr int kWriters = 4;
constexpr int kWritesEach = 150;

class Client {
 public:
  explicit Client(std::string endpoint) : endpoint_(std::move(endpoint)) {}

  // The status of the answer; 0 where none came.
  unsigned call(const std::string& operation, const std::string& body) {
    const auto answer = http_.request("POST", endpoint_,
                                      {{"Content-Type", "application/x-amz-json-1.0"},
                                       {"X-Amz-Target", "DynamoDB_20120810." + operation}},
                                      body, kTimeout);
    return answer.ok() ? answer->status : 0;
  }
  unsigned create(const std::string& table) {
    return call(
        "CreateTable",
        fmt::format(R"({{"TableName":"{}","AttributeDefinitions":[{{"AttributeName":"id",)"
                    R"("AttributeType":"S"}}],"KeySchema":[{{"AttributeName":"id","KeyType":)"
                    R"("HASH"}}],"BillingMode":"PAY_PER_REQUEST"}})",
                    table));
  }
  unsigned count_up(const std::string& table, const std::string& id) {
    return call("UpdateItem",
                fmt::format(R"({{"TableName":"{}","Key":{{"id":{{"S":"{}"}}}},"UpdateExpression":)"
                            R"("ADD #v :one","ExpressionAttributeNames":{{"#v":"v"}},)"
                            R"("ExpressionAttributeValues":{{":one":{{"N":"1"}}}}}})",
                            table, id));
  }
  unsigned get(const std::string& table, const std::string& id) {
    return call("GetItem",
                fmt::format(R"({{"TableName":"{}","Key":{{"id":{{"S":"{}"}}}}}})", table, id));
  }
  unsigned look(const std::string& path) {
    const auto answer = http_.request("GET", endpoint_ + path, {}, "", kTimeout);
    return answer.ok() ? answer->status : 0;
  }

 private:
  std::string endpoint_;
  HttpClient http_;
};

// Writes until the server is gone or all is written; counts what was acknowledged.
void write(const std::string& endpoint, int number, std::atomic<int>& acknowledged) {
  Client client(endpoint);
  for (int i = 0; i < kWritesEach; ++i) {
    // Some keys are every writer's, so that they meet in one item.
    const std::string id = i % 3 == 0 ? "shared" : fmt::format("{}-{}", number, i % 10);
    if (client.count_up("users", id) != 200) return;
    ++acknowledged;
    if (i % 5 == 0) {
      EXPECT_NE(client.get("users", id), 500U);
    }
  }
}

void look(const std::string& endpoint, const Server& server, const std::atomic<bool>& ended) {
  Client client(endpoint);
  while (!ended) {
    EXPECT_FALSE(server.status_json().empty());
    EXPECT_FALSE(server.metrics_text().empty());
    client.look("/status");
    client.look("/metrics");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void come_and_go(const std::string& endpoint, const std::atomic<bool>& ended) {
  Client client(endpoint);
  for (int i = 0; !ended && i < 20; ++i) {
    const auto name = fmt::format("passing-{}", i % 2);
    client.create(name);
    client.count_up(name, "A");
    client.call("DeleteTable", fmt::format(R"({{"TableName":"{}"}})", name));
  }
}

audit::Report verified(const std::string& archive) {
  const auto view = adapter::open_directory_archive(archive);
  audit::VerifyOptions options;
  options.deep = true;
  options.check_signature = adapter::check_ed25519;
  auto report = view.ok() ? audit::verify(**view, options) : Result<audit::Report>(view.error());
  EXPECT_TRUE(report.ok());
  return report.ok() ? std::move(report).value() : audit::Report{};
}

struct Life {
  TemporaryDirectory directory;
  ServerConfig config;

  Life() {
    config.port = 0;
    config.data = directory / "data";
    config.reserve = {0, 0};
  }

  // Returns how many updates of `users` were acknowledged. `stop_early`: while the clients are still writing.
  int live(bool stop_early) {
    auto server = Server::start(config);
    EXPECT_TRUE(server.ok()) << server.error().to_string();
    const auto endpoint = (*server)->endpoint();
    Client(endpoint).create("users");
    std::atomic<int> acknowledged = 0;
    std::atomic<bool> ended = false;
    std::vector<std::thread> writers;
    for (int i = 0; i < kWriters; ++i)
      writers.emplace_back([&, i] { write(endpoint, i, acknowledged); });
    std::thread looker([&] { look(endpoint, **server, ended); });
    std::thread passer([&] { come_and_go(endpoint, ended); });
    while (stop_early && acknowledged < kWritesEach) std::this_thread::yield();
    (*server)->housekeeping();
    if (stop_early) (*server)->stop();
    for (auto& writer : writers) writer.join();
    ended = true;
    looker.join();
    passer.join();
    (*server)->stop();
    return acknowledged;
  }
};

TEST(ServerThreads, EverythingAtOnceLosesNothing) {
  Life life;
  const int first = life.live(/*stop_early=*/false);
  EXPECT_EQ(first, kWriters * kWritesEach);
  const int second = life.live(/*stop_early=*/true);
  EXPECT_GE(second, kWritesEach);

  const auto report = verified(life.config.archive_path());
  EXPECT_TRUE(report.sound());
  const auto users = report.tables.find("users");
  ASSERT_NE(users, report.tables.end());
  // Every acknowledged update, and at most one a writer whose answer was lost when the server stopped.
  EXPECT_GE(users->second.versions, static_cast<std::uint64_t>(first + second));
  EXPECT_LE(users->second.versions, static_cast<std::uint64_t>(first + second + kWriters));
}

}  // namespace
}  // namespace pawl::server
