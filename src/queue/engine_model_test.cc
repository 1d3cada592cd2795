// Random commands, failing writes and crashes, against a plain list of what was answered: what was acknowledged is received
// until it is deleted, what was deleted never comes back, nothing is handed out twice at once, and the counts are right.
#include <map>

#include "queue/engine_fixture_test.h"

namespace pawl::queue {
namespace {

constexpr int kSeeds = 300;
constexpr int kStepsPerSeed = 150;

class EngineModelTest : public EngineTest {
 protected:
  struct Known {
    enum class Stands { kThere, kMaybe, kGone } stands = Stands::kMaybe;
    std::string queue;  // that it was sent to
    Instant sent;
    Instant hidden_until;  // what was said; a crash may take it back
    std::uint32_t receives = 0;
    std::uint32_t unheard = 0;  // receives that nobody was told the outcome of
    std::uint32_t durable = 0;  // of the floor, what a power cut can't take back
    std::uint32_t floor = 0;    // the next receive counts more than this
    Receipt newest;
  };

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(dice_.next() % bound); }

  void begin(std::uint64_t seed) {
    dice_ = SeededRandom(seed);
    plan_ = std::make_unique<SeededFaultPlan>(seed);
    plan_->set(FaultPoint::kStoreWrite, 20)
        .set(FaultPoint::kStoreCrash, 500)
        .set(FaultPoint::kStoreRemoval, 500);
    create("dead");
    AttributeChanges attributes;
    attributes.redrive = RedrivePolicy{"dead", 3};
    attributes.retention = seconds(300);
    create("q", attributes);
    store_.set_fault_plan(plan_.get());
  }

  void send_one() {
    const std::string body = std::to_string(next_body_++);
    Known& known = known_[body];
    known.queue = "q";
    const auto delay = below(4) == 0 ? seconds(below(20)) : seconds(0);
    Command command;
    command.queue = "q";
    command.action = message(body, delay);
    command.bytes = 100;
    command.done = [this, body, delay](std::optional<Answer> answer) {
      Known& one = known_[body];
      if (!answer) return;  // may be there
      one.stands = answer->failure ? Known::Stands::kGone : Known::Stands::kThere;
      if (!answer->failure) note_synced();
      one.sent = clock_.now();
      one.hidden_until = {one.sent.microseconds + Duration(delay).count()};
    };
    engine_->submit(std::move(command));
  }

  void took(const std::string& queue, const ReceivedMessage& got, Instant until) {
    Known& known = known_[got.message.body];
    EXPECT_NE(known.stands, Known::Stands::kGone) << got.message.body << " came back";
    EXPECT_GE(clock_.now(), known.hidden_until) << got.message.body << " was in flight";
    EXPECT_GT(got.state.receives, known.floor) << got.message.body;
    EXPECT_LE(got.state.receives, known.receives + known.unheard + 1) << got.message.body;
    known.unheard = 0;
    const bool dead = queue == "dead";
    EXPECT_LT(clock_.now().microseconds - got.state.sent.microseconds,
              Duration(dead ? seconds(345'600) : seconds(300)).count());
    if (!dead) {
      EXPECT_LE(got.state.receives, 3U) << got.message.body;
    }
    EXPECT_EQ(got.state.source, dead ? "q" : "");
    known.floor = got.state.receives;
    known.receives = got.state.receives;
    known.hidden_until = until;
    known.newest = got.receipt;
    known.queue = queue;
    // It is there, whatever was answered to its sender.
    known.stands = Known::Stands::kThere;
    known.sent = got.state.sent;
  }

  void receive_some(const std::string& queue) {
    const auto visibility = seconds(below(3) == 0 ? 0 : 1 + below(30));
    Command command;
    command.queue = queue;
    command.action = some(1 + below(10), visibility, seconds(below(3) == 0 ? below(20) : 0));
    command.bytes = 100;
    command.done = [this, queue, visibility](std::optional<Answer> answer) {
      if (!answer) {
        for (auto& [body, known] : known_) ++known.unheard;
        return;
      }
      const Instant until{clock_.now().microseconds + Duration(visibility).count()};
      for (const ReceivedMessage& got : answer->messages) took(queue, got, until);
    };
    engine_->submit(std::move(command));
  }

  // Deletes, or hides anew, some message that was received.
  void act_on_one() {
    std::vector<std::string> received;
    for (const auto& [body, known] : known_) {
      if (known.receives > 0 && known.stands != Known::Stands::kGone) received.push_back(body);
    }
    if (received.empty()) return;
    const std::string body = received[below(received.size())];
    const Known& known = known_[body];
    Command command;
    command.queue = known.queue;
    command.bytes = 100;
    const bool removes = below(2) == 0;
    const auto to = seconds(below(20));
    const Receipt receipt = known.newest;
    if (removes) {
      command.action = Remove{{receipt}};
    } else {
      command.action = ChangeVisibility{{{receipt, to}}};
    }
    command.done = [this, body, removes, receipt, to](std::optional<Answer> answer) {
      Known& one = known_[body];
      if (!answer && removes) one.stands = Known::Stands::kMaybe;
      if (!answer && !removes) one.hidden_until = {};
      if (!answer || answer->failure || answer->entries[0].failure) return;
      const bool newest = receipt.receives >= one.newest.receives;
      // With a receipt of the other queue it does nothing.
      if (removes && receipt.space == one.newest.space && !moved_or_lost(body)) {
        // Nobody heard of a receive that may have made it a dead letter.
        one.stands = one.unheard > 0 ? Known::Stands::kMaybe : Known::Stands::kGone;
      }
      if (!removes && newest) {
        one.hidden_until = {clock_.now().microseconds + Duration(to).count()};
      }
    };
    engine_->submit(std::move(command));
  }

  // A deletion with the newest receipt that we know of does nothing where the message has become a dead letter since.
  bool moved_or_lost(const std::string& body) {
    const Known& known = known_[body];
    if (known.queue == "dead") return false;
    const QueueShelf* dead = nullptr;
    for (const auto& [name, shelf] : engine_->catalog().shelves()) {
      if (name == "dead") dead = shelf.get();
    }
    const auto stored = store_.get(kStates, message_key(dead->record.space, known.newest.sequence));
    return stored.ok() && stored.value().has_value();
  }

  // A synced write was answered: what was handed out before it is durable, too.
  void note_synced() {
    for (auto& [body, known] : known_) known.durable = known.floor;
  }

  void power_cut() {
    crash();
    for (auto& [body, known] : known_) {
      known.hidden_until = {};
      known.floor = known.durable;
    }
  }

  void step() {
    switch (below(12)) {
      case 0:
      case 1:
      case 2:
        return send_one();
      case 3:
      case 4:
      case 5:
        return receive_some("q");
      case 6:
        return receive_some("dead");
      case 7:
      case 8:
        return act_on_one();
      case 9:
        return clock_.advance(std::chrono::milliseconds(below(5000)));
      case 10:
        return below(4) == 0 ? power_cut() : clock_.advance(Duration(1));
      default:
        return run_all();
    }
  }

  void run_all() {
    run();
    if (!listener_.unknown.empty()) {
      listener_.unknown.clear();
      power_cut();
    }
  }

  // Everything that is there is received, and nothing else; then it is deleted, and the queue is empty.
  void drain() {
    store_.set_fault_plan(nullptr);
    run_all();
    clock_.advance(seconds(20));  // nobody waits any more
    run_all();
    clock_.advance(seconds(31));  // nothing is hidden any more
    std::map<std::string, int> got;
    std::uint64_t expected = figures("q").visible + figures("dead").visible;
    EXPECT_EQ(figures("q").in_flight + figures("q").delayed, 0U);
    for (const std::string queue : {"q", "dead"}) {
      for (;;) {
        const auto reply = ask(queue, some(10, seconds(200)));
        if (reply->answer->messages.empty()) break;
        for (const auto& one : reply->answer->messages) {
          took(queue, one, {});
          ++got[one.message.body];
          ask(queue, Remove{{one.receipt}});
        }
      }
    }
    EXPECT_EQ(got.size(), expected);
    for (const auto& [body, times] : got) EXPECT_EQ(times, 1) << body;
    for (const auto& [body, known] : known_) {
      if (known.stands != Known::Stands::kThere || got.contains(body)) continue;
      const auto age = clock_.now().microseconds - known.sent.microseconds;
      EXPECT_GE(age, Duration(seconds(300)).count()) << body << " was lost";
    }
    EXPECT_EQ(store_.size(kMessages) + store_.size(kStates) + store_.size(kSchedule), 0U);
    EXPECT_EQ(counts("q"), "0/0/0");
    EXPECT_EQ(counts("dead"), "0/0/0");
    received_ += got.size();
  }

  SeededRandom dice_{1};
  std::unique_ptr<SeededFaultPlan> plan_;
  std::map<std::string, Known> known_;
  int next_body_ = 0;
  std::size_t received_ = 0;
};

class SeededEngine : public EngineModelTest, public testing::WithParamInterface<int> {};

TEST_P(SeededEngine, KeepsWhatItAnswered) {
  for (int seed = GetParam(); seed < kSeeds; seed += 4) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    store_.set_fault_plan(nullptr);
    for (const char* name : {"q", "dead"}) ask(name, Delete{});
    known_.clear();
    begin(static_cast<std::uint64_t>(seed) + 1);
    for (int i = 0; i < kStepsPerSeed; ++i) step();
    drain();
    if (HasFailure()) return;
  }
  EXPECT_GT(received_, 500U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SeededEngine, testing::Range(0, 4));

}  // namespace
}  // namespace pawl::queue
