#include "cli/gaps_table.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <vector>

#include "adapter/dynamodb_source_table.h"
#include "adapter/dynamodb_table_stream.h"
#include "adapter/reading_clock.h"
#include "adapter/system_random.h"

namespace pawl::cli {
namespace {

namespace asio = boost::asio;

class DynamoDbGapsTable final : public GapsTable {
 public:
  Status connect(const std::string& table, const std::string& endpoint) {
    SignedClientOptions options;
    options.retry.attempts_max = 8;
    options.retry.deadline = std::chrono::seconds(60);
    options.attempt_timeout = std::chrono::seconds(30);
    PAWL_ASSIGN_OR_RETURN(client_, DynamoDbClient::open(endpoint, AwsSurroundings::of_process(),
                                                        clock_, random_, options));
    table_ = std::make_unique<DynamoDbSourceTable>(*client_, table);
    stream_ = std::make_unique<DynamoDbTableStream>(*client_);
    std::vector<Awaitable<Status>> first;
    first.push_back(describe());
    return run(std::move(first));
  }

  const SourceTableFacts& facts() const override { return facts_; }
  SourceTable& table() override { return *table_; }
  TableStream& stream() override { return *stream_; }
  Clock& clock() override { return clock_; }

  Status scan(audit::TableScan& scan, std::uint32_t segments) override {
    std::vector<Awaitable<Status>> work;
    for (std::uint32_t segment = 0; segment < segments; ++segment)
      work.push_back(scan.segment(segment, segments));
    return run(std::move(work));
  }

  Status search(audit::StreamSearch& search, std::uint32_t workers) override {
    std::vector<Awaitable<Status>> first;
    first.push_back(search.find_shards(facts_.stream->arn));
    PAWL_TRY(run(std::move(first)));
    std::vector<Awaitable<Status>> work;
    for (std::uint32_t worker = 0; worker < workers; ++worker) work.push_back(search.work());
    return run(std::move(work));
  }

  Status run(std::vector<Awaitable<Status>> work) override {
    std::optional<Error> error;
    const auto keep = [&error](Awaitable<Status> one) -> Awaitable<void> {
      auto done = co_await std::move(one);
      if (!done.ok() && !error) error = std::move(done).error();
    };
    for (auto& one : work) {
      asio::co_spawn(context_, keep(std::move(one)),
                     [](const std::exception_ptr& failure) { PAWL_ASSERT(!failure); });
    }
    context_.restart();
    context_.run();
    if (error) return *std::move(error);
    return ok();
  }

 private:
  Awaitable<Status> describe() {
    auto facts = co_await table_->describe();
    if (!facts.ok()) co_return std::move(facts).error();
    facts_ = *std::move(facts);
    co_return ok();
  }

  adapter::ReadingClock clock_;
  SystemRandom random_;
  asio::io_context context_;
  std::unique_ptr<DynamoDbClient> client_;
  std::unique_ptr<DynamoDbSourceTable> table_;
  std::unique_ptr<DynamoDbTableStream> stream_;
  SourceTableFacts facts_;
};

}  // namespace

Result<std::unique_ptr<GapsTable>> GapsTable::open(const std::string& table,
                                                   const std::string& endpoint) {
  auto opened = std::make_unique<DynamoDbGapsTable>();
  PAWL_TRY(opened->connect(table, endpoint));
  return std::unique_ptr<GapsTable>(std::move(opened));
}

}  // namespace pawl::cli
