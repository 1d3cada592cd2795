// What the board says of queues is what Describe says, and what makes it wrong is seen there.
#include "queue/queue_board.h"

#include <fmt/format.h>

#include "queue/engine_fixture_test.h"

namespace pawl::queue {
namespace {

using std::chrono::milliseconds;

class BoardTest : public EngineTest {
 protected:
  // After as long as the engine needs to show it.
  std::shared_ptr<const QueuesFigures> shown() {
    clock_.advance(milliseconds(1000));
    run();
    return engine_->figures();
  }
  static std::string line(const QueuesFigures& figures, const std::string& name) {
    for (const QueueLine& queue : figures.listed) {
      if (queue.name != name) continue;
      return fmt::format("{}/{}/{}", queue.visible, queue.in_flight, queue.delayed);
    }
    return "none";
  }
};

TEST_F(BoardTest, CountsAreThoseOfTheQueue) {
  create("q");
  EXPECT_TRUE(engine_->figures()->listed.empty()) << "it is shown about once a second";
  for (int i = 0; i < 5; ++i) send("q", "body");
  send("q", "later", seconds(60));
  receive("q", 2, seconds(10));
  EXPECT_EQ(line(*shown(), "q"), "3/2/1");
  clock_.advance(seconds(10));  // nobody asks for anything: time alone makes them visible again
  EXPECT_EQ(line(*shown(), "q"), "5/0/1");
  clock_.advance(seconds(50));
  EXPECT_EQ(line(*shown(), "q"), "6/0/0");
  EXPECT_EQ(counts("q"), "6/0/0");
  crash();
  EXPECT_EQ(line(*engine_->figures(), "q"), "6/0/0") << "shown at once after a start";
  ask("q", Delete{});
  EXPECT_TRUE(shown()->listed.empty());
}

TEST_F(BoardTest, TheOldestMessageIsTheFirstThatIsLeft) {
  create("q");
  EXPECT_FALSE(shown()->listed.at(0).oldest) << "none";
  const Instant first = clock_.now();
  send("q", "one");
  clock_.advance(seconds(5));
  const Instant second = clock_.now();
  send("q", "two");
  EXPECT_EQ(shown()->listed.at(0).oldest, first);
  const auto got = ask("q", some(1));
  EXPECT_EQ(shown()->listed.at(0).oldest, first) << "it is in flight, and not done";
  ask("q", Remove{{got->answer->messages.at(0).receipt}});
  EXPECT_EQ(shown()->listed.at(0).oldest, second);
  ask("q", Purge{});
  EXPECT_FALSE(shown()->listed.at(0).oldest);
}

TEST_F(BoardTest, DeadLettersKeepTheirAgeAndTheirQueueIsMarked) {
  AttributeChanges redrive;
  create("dead");
  redrive.redrive = RedrivePolicy{"dead", 1};
  create("q", redrive);
  const Instant sent = clock_.now();
  send("q", "poison");
  clock_.advance(seconds(2));
  const Instant later = clock_.now();
  send("dead", "younger");
  receive("q", 1, seconds(1));
  const auto before = shown();
  EXPECT_FALSE(before->listed.at(1).holds_dead_letters);
  ASSERT_EQ(before->listed.at(0).name, "dead");
  EXPECT_TRUE(before->listed.at(0).holds_dead_letters);
  EXPECT_EQ(before->listed.at(0).oldest, later);
  receive("q", 1);
  const auto after = shown();
  EXPECT_EQ(line(*after, "q"), "0/0/0");
  EXPECT_EQ(line(*after, "dead"), "2/0/0");
  EXPECT_EQ(after->listed.at(0).oldest, sent) << "behind the mark of the oldest";
}

TEST_F(BoardTest, WhatExpiresIsCountedAlsoOverAPurge) {
  AttributeChanges brief;
  brief.retention = seconds(60);
  create("q", brief);
  send("q", "one");
  send("q", "two");
  EXPECT_EQ(shown()->listed.at(0).expired, 0U);
  clock_.advance(seconds(61));
  shown();  // as they were before what expires was looked for
  const auto figures = shown();
  EXPECT_EQ(figures->listed.at(0).expired, 2U);
  EXPECT_EQ(line(*figures, "q"), "0/0/0");
  EXPECT_FALSE(figures->listed.at(0).oldest);
  ask("q", Purge{});
  EXPECT_EQ(shown()->listed.at(0).expired, 2U);
}

TEST_F(BoardTest, TheFirstByNameAreListedAndTheOthersSummed) {
  for (std::size_t i = 0; i < kListedMax + 3; ++i) {
    const std::string name = fmt::format("q{:03}", i);
    create(name);
    send(name, "body");
  }
  const auto figures = shown();
  ASSERT_EQ(figures->listed.size(), kListedMax);
  EXPECT_EQ(figures->listed.back().name, "q099");
  EXPECT_EQ(figures->others.queues, 3U);
  EXPECT_EQ(figures->others.messages, 3U);
}

// A store whose cursors break off after some steps.
class BreakingStore final : public KeyValueStore {
 public:
  explicit BreakingStore(KeyValueStore& store) : store_(store) {}
  std::optional<int> steps;  // of each cursor; nothing: no end

  Result<std::optional<std::string>> get(KeySpace space, std::string_view key) override {
    return store_.get(space, key);
  }
  Result<std::vector<std::optional<std::string>>> multi_get(
      KeySpace space, const std::vector<std::string_view>& keys) override {
    return store_.multi_get(space, keys);
  }
  std::unique_ptr<Cursor> cursor(KeySpace space) override {
    return std::make_unique<Breaking>(store_.cursor(space), steps);
  }
  WriteResult write(const WriteBatch& batch, Sync sync) override {
    return store_.write(batch, sync);
  }
  Status remove_range(KeySpace space, std::string_view from, std::string_view to) override {
    return store_.remove_range(space, from, to);
  }
  Result<Room> room() override { return store_.room(); }

 private:
  class Breaking final : public Cursor {
   public:
    Breaking(std::unique_ptr<Cursor> cursor, std::optional<int> steps)
        : cursor_(std::move(cursor)), steps_(steps) {}
    void seek(std::string_view key) override { cursor_->seek(key); }
    void seek_for_prev(std::string_view key) override { cursor_->seek_for_prev(key); }
    void next() override {
      cursor_->next();
      if (steps_) --*steps_;
    }
    void prev() override { cursor_->prev(); }
    bool valid() const override { return !broken() && cursor_->valid(); }
    std::string_view key() const override { return cursor_->key(); }
    std::string_view value() const override { return cursor_->value(); }
    Status status() const override {
      if (broken()) return Error{ErrorCode::kUnavailable, "the disk does not answer", ""};
      return cursor_->status();
    }

   private:
    bool broken() const { return steps_ && *steps_ <= 0; }
    std::unique_ptr<Cursor> cursor_;
    std::optional<int> steps_;
  };

  KeyValueStore& store_;
};

TEST_F(BoardTest, AStoreThatDoesNotAnswerLeavesTheCountsAsTheyWere) {
  BreakingStore breaking(store_);
  auto opened = QueueEngine::open({breaking, clock_, random_}, listener_, options_);
  ASSERT_TRUE(opened.ok());
  engine_ = std::move(*opened);
  create("q");
  for (int i = 0; i < 5; ++i) send("q", "body");
  receive("q", 5, seconds(10));
  EXPECT_EQ(line(*shown(), "q"), "0/5/0");
  clock_.advance(seconds(10));
  for (int i = 0; i < 4; ++i) {
    breaking.steps = i;
    EXPECT_EQ(line(*shown(), "q"), "0/5/0");
    EXPECT_EQ(shown()->listed.at(0).oldest.has_value(), i > 0);
  }
  breaking.steps.reset();
  EXPECT_EQ(line(*shown(), "q"), "5/0/0") << "nothing was counted twice";
}

}  // namespace
}  // namespace pawl::queue
