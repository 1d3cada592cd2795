// Fakes for tests of the guard's shells: a clock that stands still until it is told, and a table with one open shard of one
// record.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "port/clock.h"
#include "port/source_table.h"
#include "port/table_stream.h"

namespace pawl::guard {

inline constexpr const char* kStream = "arn:aws:dynamodb:us-east-1:1:table/t/stream/1";

inline Awaitable<void> let_others_run() { co_await boost::asio::post(boost::asio::use_awaitable); }

class StandingClock final : public Clock {
 public:
  Instant now() override { return {1'700'000'000'000'000 + at.microseconds}; }
  MonotonicInstant monotonic() override { return at; }
  std::unique_ptr<Alarm> make_alarm() override { return std::make_unique<Bell>(*this); }

  MonotonicInstant at{1'000'000'000};

 private:
  class Bell final : public Alarm {
   public:
    explicit Bell(const StandingClock& clock) : clock_(clock) {}
    void ring() override { rung_ = true; }
    Awaitable<Woken> wait_until(MonotonicInstant deadline) override {
      while (!rung_ && clock_.at < deadline) co_await let_others_run();
      co_return std::exchange(rung_, false) ? Woken::kRung : Woken::kDeadline;
    }

   private:
    const StandingClock& clock_;
    bool rung_ = false;
  };
};

// One open shard with one record.
class OneRecord final : public TableStream {
 public:
  Awaitable<StreamResult<StreamShardPage>> shards(std::string arn, std::string /*after*/) override {
    StreamShardPage page;
    page.stream = {std::move(arn), true, StreamView::kNewAndOldImages};
    page.shards.push_back({"shard-1", "", "1", ""});
    co_return page;
  }
  Awaitable<StreamResult<std::string>> iterator(std::string /*arn*/, std::string /*shard*/,
                                                StreamPosition position) override {
    co_return position.at == StreamPosition::At::kOldest ? "oldest" : "end";
  }
  Awaitable<StreamResult<StreamRecordPage>> records(std::string iterator,
                                                    std::size_t /*count_max*/) override {
    StreamRecordPage page;
    page.next_iterator = "end";
    if (iterator == "oldest") {
      StreamRecord record;
      record.sequence = "100000000000000000001";
      record.created = {1'700'000'000'000'000};
      record.keys = record.new_image = R"({"id":{"S":"A"}})";
      page.records.push_back(std::move(record));
    }
    co_return page;
  }
};

class OneTable final : public SourceTable {
 public:
  Awaitable<Result<SourceTableFacts>> describe() override {
    SourceTableFacts facts;
    facts.stream = StreamFacts{kStream, true, StreamView::kNewAndOldImages};
    co_return facts;
  }
  Awaitable<Result<std::optional<std::string>>> get(std::string /*key*/) override {
    co_return std::optional<std::string>{};
  }
  Awaitable<Result<std::vector<std::optional<std::string>>>> get_many(
      std::vector<std::string> keys) override {
    co_return std::vector<std::optional<std::string>>(keys.size());
  }
  Awaitable<Result<SourceItems>> scan(std::uint32_t /*segment*/, std::uint32_t /*segments*/,
                                      std::string /*after*/,
                                      std::vector<std::string> /*attributes*/) override {
    co_return SourceItems{};
  }
};

}  // namespace pawl::guard
