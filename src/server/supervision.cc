#include "server/supervision.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "bucket/own_ledger_store.h"
#include "observe/log.h"
#include "server/bucket_archive.h"

namespace pawl::server {
namespace {

// A new table's changes are held until it is noticed.
constexpr Duration kFollowEvery = std::chrono::milliseconds(250);

}  // namespace

void Supervision::hold(const Expectations& expectations, stream::ReadHolds& holds) {
  for (const auto& [table, expectation] : expectations) holds.hold_tables(table);
}

Supervision::Supervision(SupervisionGround ground, Expectations expectations)
    : ground_(std::move(ground)),
      expectations_(std::move(expectations)),
      alarm_(ground_.clock.make_alarm()) {
  for (const auto& [table, expectation] : expectations_) taken_[expectation.bucket];
}

Supervision::~Supervision() { stop(); }

void Supervision::start() {
  if (expectations_.empty()) return;
  thread_ = std::thread([this] {
    boost::asio::co_spawn(context_, run(), boost::asio::detached);
    context_.run();
  });
}

std::vector<std::shared_ptr<SupervisedTable>> Supervision::supervised() const {
  std::vector<std::shared_ptr<SupervisedTable>> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [incarnation, table] : tables_) all.push_back(table);
  return all;
}

void Supervision::stop_calling() {
  for (const auto& table : supervised()) table->stop_calling();
}

void Supervision::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  alarm_->ring();
  thread_.join();
}

// From the start on, whether there are tables yet or not: a function's first put must not fail for want of its bucket, and what it
// replaces is kept from then on.
Awaitable<void> Supervision::look_after(std::string bucket) {
  const auto alarm = ground_.clock.make_alarm();
  bool is_told = false;
  while (!stopping_) {
    const auto archive = co_await open_bucket_archive(ground_.buckets, bucket, ground_.random);
    if (archive.ok()) {
      const auto open_ledger = [this, bucket]() -> std::unique_ptr<LedgerStore> {
        return std::make_unique<bucket::OwnLedgerStore>(ground_.buckets, bucket);
      };
      bucket::KeptRecorderOptions options;
      options.bucket = bucket;
      options.archive = fmt::format("{:016x}", archive->id);
      const auto recorder =
          std::make_shared<bucket::KeptRecorder>(ground_.buckets, open_ledger, options);
      {
        const std::lock_guard lock(mutex_);
        kept_[bucket] = recorder;
      }
      if (!stopping_) co_await recorder->run();
      co_return;
    }
    if (!is_told) {
      observe::alarm("the bucket of an expectation can't be used",
                     {{"bucket", bucket}, {"why", archive.error().to_string()}});
    }
    is_told = true;
    co_await alarm->wait_until(ground_.clock.monotonic() + kFollowEvery);
  }
}

template <typename Ended>
void Supervision::begin(Awaitable<void> work, Ended ended) {
  ++running_;
  boost::asio::co_spawn(context_, std::move(work),
                        [this, ended = std::move(ended)](const std::exception_ptr& error) {
                          PAWL_ASSERT(error == nullptr);  // nothing of ours throws
                          --running_;
                          ended();
                          alarm_->ring();
                        });
}

Awaitable<void> Supervision::run() {
  std::set<std::string> buckets;
  for (const auto& [table, expectation] : expectations_) buckets.insert(expectation.bucket);
  for (const auto& bucket : buckets) begin(look_after(bucket), [] {});
  while (!stopping_) {
    follow_tables();
    co_await alarm_->wait_until(ground_.clock.monotonic() + kFollowEvery);
  }
  for (const auto& table : supervised()) table->stop();
  for (const auto& [bucket, recorder] : kept_) recorder->stop();
  while (running_ > 0) co_await alarm_->wait_until(ground_.clock.monotonic() + kFollowEvery);
}

void Supervision::follow_tables() {
  const auto view = ground_.tables.catalog->view();
  for (auto at = over_.begin(); at != over_.end();) {
    const auto incarnation = *at++;
    if (view->by_incarnation.contains(incarnation)) continue;
    ground_.holds.forget(incarnation);
    over_.erase(incarnation);
  }
  for (const auto& [incarnation, table] : view->by_incarnation) {
    const auto expected = expectations_.find(table->record.definition.name);
    if (expected == expectations_.end() || over_.contains(incarnation)) continue;
    std::shared_ptr<SupervisedTable> one;
    {
      const std::lock_guard lock(mutex_);
      auto& place = tables_[incarnation];
      if (place) continue;
      one = place = std::make_shared<SupervisedTable>(
          ground_, context_.get_executor(), expected->first, incarnation, expected->second,
          taken_.at(expected->second.bucket));
    }
    begin(one->run(), [this, one, id = incarnation] {
      over_.insert(id);
      const std::lock_guard lock(mutex_);
      tables_.erase(id);
    });
  }
}

std::vector<ExpectationStatus> Supervision::statuses() const {
  std::vector<ExpectationStatus> all;
  for (const auto& table : supervised()) all.push_back(table->status());
  const auto view = ground_.tables.catalog->view();
  for (const auto& [name, config] : expectations_) {
    const bool is_there = std::any_of(all.begin(), all.end(), [&table = name](const auto& one) {
      return one.table == table && !one.deleted;
    });
    if (is_there) continue;
    ExpectationStatus none;
    none.table = name;
    none.config = config;
    if (const auto table = view->find(name)) {  // not noticed yet
      none.incarnation = table->record.incarnation;
    }
    all.push_back(std::move(none));
  }
  for (auto& one : all) {
    const std::lock_guard lock(mutex_);
    const auto recorder = kept_.find(one.config.bucket);
    if (recorder != kept_.end()) one.kept = recorder->second->status();
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& one, const auto& other) {
    return std::pair(one.table, !one.deleted) < std::pair(other.table, !other.deleted);
  });
  return all;
}

}  // namespace pawl::server
