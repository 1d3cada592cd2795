// Who owns the root, around fakes: what it writes into the chain and the rows, that it goes on after another's page, and that a
// page whose outcome is not known is written once.
#include "guard/root_owner.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fault/memory_lease_store.h"
#include "fault/memory_object_store.h"
#include "guard/one_shard_test.h"
#include "ledger/page_format.h"

namespace pawl::guard {
namespace {

using namespace std::chrono_literals;

constexpr const char* kArchive = "00000000000000aa";
constexpr Incarnation kTable{7};

// What every ledger of a test has before it: a bucket, of which a page is an object.
struct Pages {
  std::map<std::string, std::vector<std::string>, std::less<>> chains;
  int answers_to_lose = 0;  // of puts that are done
  int puts_to_refuse = 0;
  int puts = 0;
};

class PagesLedger final : public LedgerStore {
 public:
  explicit PagesLedger(Pages& pages) : pages_(pages) {}

  Awaitable<Result<std::vector<std::string>>> chains() override {
    std::vector<std::string> names;
    for (const auto& [name, lines] : pages_.chains) names.push_back(name);
    co_return names;
  }
  Awaitable<Result<ChainEnd>> end_of(std::string_view chain) override {
    ChainEnd end;
    const auto& lines = look(chain);
    if (!lines.empty()) end.last_line = lines.back();
    co_return end;
  }
  Awaitable<Status> read(std::string_view chain,
                         std::function<bool(std::string_view)> visit) override {
    const auto lines = look(chain);
    co_await let_others_run();
    for (const auto& line : lines) {
      if (!visit(line)) break;
    }
    co_return ok();
  }
  Awaitable<Status> append(std::span<const PageAppend> pages) override {
    given_.clear();
    for (const auto& page : pages) given_.emplace_back(page.chain, page.line);
    co_return ok();
  }
  Awaitable<Status> start_volume(std::string_view /*chain*/) override { co_return ok(); }
  Awaitable<Status> sync() override {
    co_await let_others_run();
    for (const auto& [chain, line] : given_) {
      ++pages_.puts;
      if (pages_.puts_to_refuse > 0) {
        --pages_.puts_to_refuse;
        co_return Error{ErrorCode::kUnavailable, "refused", {}};
      }
      auto& lines = pages_.chains[chain];
      const auto at = seen_[chain];
      if (lines.size() > at && lines[at] != line)
        co_return Error{ErrorCode::kConflict, "taken", {}};
      if (lines.size() == at) lines.push_back(line);
      if (pages_.answers_to_lose > 0) {
        --pages_.answers_to_lose;
        co_return Error{ErrorCode::kUnavailable, "no answer", {}};
      }
      ++seen_[chain];
    }
    given_.clear();
    co_return ok();
  }
  Awaitable<Status> reopen() override { co_return ok(); }
  Awaitable<Status> cut(std::string_view /*chain*/) override { co_return ok(); }
  Awaitable<Status> put_tip(std::string_view /*line*/) override { co_return ok(); }
  Awaitable<Result<std::optional<std::string>>> tip() override {
    co_return std::optional<std::string>{};
  }

 private:
  const std::vector<std::string>& look(std::string_view chain) {
    const auto& lines = pages_.chains[std::string(chain)];
    seen_[std::string(chain)] = lines.size();
    return lines;
  }

  Pages& pages_;
  std::map<std::string, std::size_t> seen_;  // pages that it knows of
  std::vector<std::pair<std::string, std::string>> given_;
};

struct Scene {
  boost::asio::io_context context;
  StandingClock clock;
  OneRecord stream;
  OneTable table;
  MemoryLeases rows;
  MemoryLeaseStore leases{rows};
  MemoryObjectStore objects;
  SeededRandom random{1};
  Pages pages;
  bool may_write = true;
  GuardPorts ports{
      stream, table, leases, objects, [this] { return std::make_unique<PagesLedger>(pages); },
      clock,  random};
  GuardedTable guarded{kArchive,
                       "test",
                       kTable,
                       "arn:aws:dynamodb:us-east-1:1:table/t",
                       {"t", {{"id", item::Type::kString}, {}}},
                       archive::NameTemplate::parse("{table}/{key}-{source}.json").value(),
                       {}};
  std::vector<std::shared_ptr<RootOwner>> owners;

  Awaitable<void> keep(std::shared_ptr<RootOwner> owner) { co_await owner->run(); }

  RootOwner& start() {
    owners.push_back(std::make_shared<RootOwner>(ports, guarded, [this] { return may_write; }));
    boost::asio::co_spawn(context, keep(owners.back()),
                          [](const std::exception_ptr& failure) { EXPECT_EQ(failure, nullptr); });
    return *owners.back();
  }
  ~Scene() {
    for (auto& owner : owners) owner->drop();
    pass(0s);
  }
  void pass(Duration time) {
    clock.at = clock.at + time;
    context.restart();
    for (int turn = 0; turn < 2000; ++turn) context.poll_one();
  }
  void live(int seconds) {
    for (int step = 0; step < seconds * 10; ++step) {
      for (auto& owner : owners) owner->rows_listed(listed());
      pass(100ms);
    }
  }
  RowsListed listed() {
    RowsListed listed{clock.monotonic(), {}};
    for (const auto& [name, row] : rows.rows) listed.rows.push_back(row);
    return listed;
  }
  // The chain's events in order; every page follows the one before it.
  std::vector<ledger::RootEvent> events() {
    std::vector<ledger::RootEvent> events;
    ledger::ChainEndState end;
    for (const auto& line : pages.chains[std::string(ledger::kRootChain)]) {
      const auto parsed = ledger::parse_line(line);
      if (!parsed.ok()) {
        ADD_FAILURE() << parsed.error().to_string();
        break;
      }
      auto page = ledger::parse_root_page(parsed->json);
      EXPECT_TRUE(page.ok() && ledger::follow(end, *page, parsed->digest).ok());
      if (page.ok()) events.push_back(page->event);
    }
    return events;
  }
  std::optional<ShardRow> row(ShardNumber number) {
    const auto found = rows.rows.find(shard_row_name(number));
    if (found == rows.rows.end()) return std::nullopt;
    const auto parsed = parse_row(found->second);
    return parsed.ok() ? std::optional(std::get<ShardRow>(*parsed)) : std::nullopt;
  }
  // The archive, the table and the one shard are entered, each once, and its row is there.
  void expect_opened() {
    const auto entered = events();
    ASSERT_EQ(entered.size(), 3U);
    EXPECT_TRUE(std::holds_alternative<ledger::ArchiveCreated>(entered[0]));
    const auto& table_entered = std::get<ledger::TableGuarded>(entered[1]);
    EXPECT_EQ(table_entered.incarnation, kTable);
    EXPECT_EQ(table_entered.table, "t");
    const auto& opened = std::get<ledger::ShardOpened>(entered[2]);
    EXPECT_EQ(opened.shard, (ShardId{kTable, 1}));
    EXPECT_EQ(opened.stream, kStream);
    EXPECT_EQ(opened.source, "shard-1");
    EXPECT_FALSE(opened.gap);
    const auto made = row(1);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->stream, kStream);
    EXPECT_EQ(made->shard, "shard-1");
    EXPECT_FALSE(made->waits || made->finished);
  }
};

TEST(RootOwner, EntersWhatItFindsAndMakesRows) {
  Scene scene;
  scene.start();
  scene.live(20);
  scene.expect_opened();
  const auto puts = scene.pages.puts;
  scene.live(30);  // listings come and go, and nothing is new
  EXPECT_EQ(scene.pages.puts, puts);
}

TEST(RootOwner, WritesNothingWhenTheRootIsAnothers) {
  Scene scene;
  scene.may_write = false;
  scene.start();
  scene.live(20);
  EXPECT_EQ(scene.pages.puts, 0);
  EXPECT_TRUE(scene.rows.rows.empty());
}

TEST(RootOwner, APageWhoseOutcomeIsNotKnownIsWrittenOnce) {
  for (const bool done : {false, true}) {
    Scene scene;
    (done ? scene.pages.answers_to_lose : scene.pages.puts_to_refuse) = 3;
    auto& owner = scene.start();
    scene.live(20);
    scene.expect_opened();
    EXPECT_EQ(scene.pages.puts, 6);
    EXPECT_EQ(owner.why(), "");
  }
}

TEST(RootOwner, TwoAtOnceMakeOneChain) {
  Scene scene;
  scene.start();
  scene.start();
  scene.live(20);
  scene.expect_opened();
}

TEST(RootOwner, GoesOnWithTheChainOfAnother) {
  Scene scene;
  scene.start();
  scene.live(20);
  scene.owners[0]->drop();
  scene.rows.rows.clear();  // the rows are made of what the chain says
  scene.start();
  scene.live(20);
  scene.expect_opened();
}

TEST(RootOwner, AFinishedShardIsClosedAndItsRowRemoved) {
  Scene scene;
  scene.start();
  scene.live(20);
  auto row = scene.row(1);
  ASSERT_TRUE(row);
  row->finished = row->gap = true;
  auto& stored = scene.rows.rows.at(shard_row_name(1));
  stored.value = encode_row(*row);
  ++stored.revision;
  scene.live(20);
  const auto entered = scene.events();
  ASSERT_EQ(entered.size(), 4U);
  const auto& closed = std::get<ledger::ShardClosed>(entered[3]);
  EXPECT_EQ(closed.closed.shard, (ShardId{kTable, 1}));
  EXPECT_EQ(closed.closed.pages, 0U);
  EXPECT_TRUE(closed.gap);
  EXPECT_FALSE(scene.row(1));
}

TEST(RootOwner, RefusesTheChainOfAnotherArchive) {
  Scene scene;
  scene.start();
  scene.live(20);
  scene.owners[0]->drop();
  scene.guarded.archive = "00000000000000bb";
  const auto puts = scene.pages.puts;
  auto& owner = scene.start();
  scene.live(5);
  EXPECT_EQ(scene.pages.puts, puts);
  EXPECT_NE(owner.why().find("another archive"), std::string::npos) << owner.why();
}

}  // namespace
}  // namespace pawl::guard
