// For the tests of Pawl's own ports into a bucket: buckets in memory whose writer does each command as it comes, and whose reads
// are done at once.
#pragma once

#include "bucket/bucket_fixture_test.h"
#include "bucket/own_access.h"
#include "fault/fault_plan.h"
#include "port/conformance/run_awaitable.h"

namespace pawl::bucket {

// Somebody waits for an answer that never comes: nobody knows whether a batch is durable, and the process ends.
struct ProcessEnded {};

// Everything else has been answered before anybody waits for it.
class AnsweredClock final : public Clock {
 public:
  explicit AnsweredClock(ManualClock& clock) : clock_(clock) {}
  Instant now() override { return clock_.now(); }
  MonotonicInstant monotonic() override { return clock_.monotonic(); }
  std::unique_ptr<Alarm> make_alarm() override { return std::make_unique<Rung>(); }

 private:
  class Rung final : public Alarm {
   public:
    void ring() override { rung_ = true; }
    Awaitable<Woken> wait_until(MonotonicInstant /*deadline*/) override {
      if (!rung_) throw ProcessEnded();
      co_return Woken::kRung;
    }

   private:
    bool rung_ = false;
  };
  ManualClock& clock_;
};

class OwnBuckets {
 public:
  OwnBuckets() {
    wake();
    run(CreateBucket{"b", "us-east-1"});
    buckets.memory.set_fault_plan(&plan);
  }
  void restart() {
    buckets.crash_and_open(random_);
    wake();
  }
  OwnPorts ports() {
    return {*buckets.store, clock, [](const std::function<void()>& work) { work(); },
            [](std::string_view bytes) { return "etag of " + std::string(bytes.substr(0, 50)); }};
  }
  Outcome run(Action action) {
    const auto outcome = buckets.submit(std::move(action));
    return outcome->value();
  }

  ScriptedFaultPlan plan;
  Buckets buckets;
  AnsweredClock clock{buckets.clock};

 private:
  void wake() {
    BucketCommitter& committer = buckets.store->committer();
    committer.set_waker([&committer] { committer.run_round(); });
  }
  SeededRandom random_{7};
};

}  // namespace pawl::bucket
