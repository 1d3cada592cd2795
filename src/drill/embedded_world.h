// A seeded run of the embedded Pawl: clients write, stores fail and are slow, the process dies anywhere and comes back,
// until everything that was acknowledged must be in the archive and the archive must be sound. A run is a function of
// its seed: faults, crashes, interleavings, sizes and clients are all drawn from it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "drill/client_workload.h"
#include "drill/embedded_life.h"
#include "drill/honest_check.h"
#include "drill/promise_checks.h"
#include "drill/watched_stores.h"
#include "fault/fault_plan.h"

namespace pawl::drill {

// The points of this world's stores come first. It draws for no others, so new ones don't shift what a seed means.
inline constexpr std::size_t kEmbeddedFaultPoints =
    static_cast<std::size_t>(FaultPoint::kLedgerDelay) + 1;

struct RunReport {
  std::uint64_t seed = 0;
  std::vector<std::string> violations;  // empty: every promise was kept
  std::uint64_t digest = 0;  // of every effect, outcome and handler: equal for equal seeds
  std::uint64_t operations = 0;
  std::uint64_t changes = 0;  // in the ledger
  std::uint64_t lives =
      0;  // processes; all but the last ended by crash or failure, or by a clean stop
  std::uint64_t crashes = 0;
  std::uint64_t clean_stops = 0;
  std::uint64_t repeats = 0;  // attempts after the first
  std::uint64_t stalls = 0;   // times that a shard was looked at and stood still
  std::uint64_t effects = 0;
  std::array<std::uint64_t, kEmbeddedFaultPoints> faults{};
  Duration virtual_time{};
};

class EmbeddedWorld final : private Witness, private Endpoint {
 public:
  explicit EmbeddedWorld(std::uint64_t seed);
  ~EmbeddedWorld() override;

  // The whole run. Once.
  RunReport run();

 private:
  // Witness
  void will_write(const WriteBatch& batch) override { held_.will_write(batch); }
  void will_remove(KeySpace space, std::string_view from, std::string_view to) override {
    held_.will_remove(space, from, to);
  }
  void will_set_aside(std::span<const std::string> names) override;
  void page_durable(std::string_view chain, std::string_view line) override;
  void chain_found(std::string_view chain, std::size_t pages) override {
    chains_.chain_found(chain, pages);
  }
  // Endpoint
  table::CommandSink* server() override;
  std::uint64_t lives_ended() const override { return lives_ended_; }

  void draw_profile();
  LifeOptions draw_life_options();
  void start_life();
  void bury_life();
  void look_after_life();
  Awaitable<void> restart_later(Duration wait);
  Awaitable<void> disturb();
  Awaitable<void> watch();
  bool step();
  bool run_clients();
  bool catch_up();
  void stop_and_check();
  void check_tables();
  void verify_archive(const char* when);
  bool archived() const;

  const std::uint64_t seed_;
  SeededRandom random_;       // of the world's choices
  SeededRandom life_random_;  // what processes draw: ids
  SeededFaultPlan plan_;
  VirtualTime time_;
  EffectLog log_;
  Violations violations_;

  MemoryKeyValueStore store_memory_;
  MemoryObjectStore object_memory_;
  MemoryLedgerStore ledger_memory_;
  WatchedKeyValueStore store_;
  WatchedObjectStore objects_;
  WatchedLedgerStore ledger_;

  PageReader reader_;
  HeldCheck held_;
  SealedCheck sealed_;
  ChainCheck chains_;
  HistoryCheck history_;
  HonestCheck honest_;

  std::unique_ptr<ClientWorkload> clients_;
  std::unique_ptr<EmbeddedLife> life_;
  bool restarting_ = false;
  bool faults_over_ = false;
  std::uint64_t lives_ended_ = 0;
  std::uint64_t crashes_left_ = 0;
  std::uint64_t ticks_between_crashes_ = 0;
  RunReport report_;
};

}  // namespace pawl::drill
