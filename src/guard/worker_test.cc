// One worker around fakes, on a clock that stands still until it is told: what happens to writes that outlive a life. How
// workers agree is membership_test.cc's and the simulation's.
#include "guard/worker.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>
#include <vector>

#include "fault/memory_lease_store.h"
#include "fault/memory_ledger_store.h"
#include "guard/one_shard_test.h"

namespace pawl::guard {
namespace {

using namespace std::chrono_literals;

constexpr int kTurns = 2000;  // of the loop: more than whatever can go on needs

// Keeps every put until it is let go; then it is refused or taken by what the worker says of itself, as a client does
// that tries once more.
class SlowObjects final : public ObjectStore {
 public:
  Awaitable<std::vector<PutResult>> put_if_absent(std::span<const PutRequest> requests) override {
    ++under_way;
    while (!let_go) co_await let_others_run();
    --under_way;
    const bool may = may_send();
    answered.push_back(may);
    co_return std::vector<PutResult>(requests.size(),
                                     {may ? PutOutcome::kStored : PutOutcome::kRefused, "held"});
  }
  Awaitable<Result<std::optional<std::string>>> get(std::string_view /*name*/,
                                                    std::size_t /*size_max*/) override {
    co_return std::optional<std::string>{};
  }
  Awaitable<Status> set_aside(std::span<const std::string> /*names*/) override { co_return ok(); }
  bool may_doubt() const override { return false; }
  Result<std::optional<std::uint64_t>> free_bytes() override {
    return std::optional<std::uint64_t>{};
  }

  std::function<bool()> may_send;
  bool let_go = false;
  std::size_t under_way = 0;
  std::vector<bool> answered;  // whether the worker trusted itself then
};

struct Scene {
  boost::asio::io_context context;
  StandingClock clock;
  OneRecord stream;
  OneTable table;
  MemoryLeases rows;
  MemoryLeaseStore leases{rows};
  SlowObjects objects;
  SeededRandom random{1};
  // Each ledger is empty: nobody looks at the pages.
  GuardPorts ports{
      stream, table, leases, objects, [] { return std::make_unique<MemoryLedgerStore>(); },
      clock,  random};
  Worker worker{ports,
                {"00000000000000aa",
                 "test",
                 {7},
                 "arn:aws:dynamodb:us-east-1:1:table/t",
                 {"t", {{"id", item::Type::kString}, {}}},
                 archive::NameTemplate::parse("{table}/{key}-{source}.json").value(),
                 {}}};
  bool ended = false;

  Scene() {
    objects.may_send = [this] { return worker.trusts_itself(); };
    boost::asio::co_spawn(context, worker.run(), [this](const std::exception_ptr& failure) {
      EXPECT_EQ(failure, nullptr);
      ended = true;
    });
  }
  // Time goes by, at once as for who is paused; then everything happens that can.
  void pass(Duration time) {
    clock.at = clock.at + time;
    context.restart();
    for (int turn = 0; turn < kTurns; ++turn) context.poll_one();
  }
  // Within ten seconds, lived through.
  bool comes(const std::function<bool()>& what) {
    for (int step = 0; step < 100 && !what(); ++step) pass(100ms);
    return what();
  }
};

TEST(Worker, NoLifeBeginsWhileAPutOfTheLastOneIsUnderWay) {
  Scene scene;
  ASSERT_TRUE(scene.comes([&] { return scene.objects.under_way == 1; }));
  EXPECT_TRUE(scene.worker.trusts_itself());
  const auto first = scene.worker.status().id;
  // It wakes: the first thing that happens is a tick, which ends the life.
  scene.pass(6s);
  EXPECT_FALSE(scene.worker.trusts_itself());
  for (int second = 0; second < 3; ++second) {
    scene.pass(1s);
    EXPECT_FALSE(scene.worker.trusts_itself());
  }
  EXPECT_EQ(scene.objects.under_way, 1U);
  scene.objects.let_go = true;
  EXPECT_TRUE(scene.comes([&] { return scene.objects.answered.size() == 2; }));
  EXPECT_EQ(scene.objects.answered, (std::vector<bool>{false, true}));
  EXPECT_NE(scene.worker.status().id, first);
  scene.worker.stop();
  EXPECT_TRUE(scene.comes([&] { return scene.ended; }));
}

}  // namespace
}  // namespace pawl::guard
