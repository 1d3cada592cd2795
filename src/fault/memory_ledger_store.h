// Ledger chains in memory: what stands for the files or the bucket in unit tests, simulation and the drill.
// Contract and conformance suite are those of port/ledger_store.h. crash() is a power cut.
#pragma once

#include <map>

#include "fault/fault_plan.h"
#include "fault/injected_delay.h"
#include "port/ledger_store.h"

namespace pawl {

// The answers of FaultPoint::kLedgerAppend, asked once a call. After an error, as the contract says, only
// reopen() helps.
enum class LedgerAppendFault : std::size_t {
  kNone = 0,
  kNothing,  // an error, and nothing was written
  kPartial,  // an error, and about half of the bytes were
};
inline constexpr std::size_t kLedgerAppendFaults = 3;

// The answers of FaultPoint::kLedgerTip.
enum class LedgerTipFault : std::size_t {
  kNone = 0,
  kNotReplaced,  // an error, and the old one is there
  kReplaced,     // an error, and the new one is there
};
inline constexpr std::size_t kLedgerTipFaults = 3;

// The answers of FaultPoint::kLedgerCrash, asked for each chain with unsynced bytes.
enum class LedgerCrashFault : std::size_t {
  kLost = 0,  // none of them survives
  kKept,      // all do
  kTorn,      // about half do: some pages, the last of them perhaps not whole
};
inline constexpr std::size_t kLedgerCrashFaults = 3;

// One coroutine at a time. Suspends only with a clock in `delay`: before append and sync. Plan and clock must
// outlive the store.
class MemoryLedgerStore final : public LedgerStore {
 public:
  explicit MemoryLedgerStore(FaultPlan* plan = nullptr, InjectedDelay delay = {})
      : plan_(plan), delay_(delay) {}

  Awaitable<Result<std::vector<std::string>>> chains() override;
  Awaitable<Result<ChainEnd>> end_of(std::string_view chain) override;
  Awaitable<Status> read(std::string_view chain,
                         std::function<bool(std::string_view line)> visit) override;
  Awaitable<Status> append(std::span<const PageAppend> pages) override;
  Awaitable<Status> start_volume(std::string_view chain) override;
  Awaitable<Status> sync() override;
  Awaitable<Status> reopen() override;
  Awaitable<Status> cut(std::string_view chain) override;
  Awaitable<Status> put_tip(std::string_view line) override;
  Awaitable<Result<std::optional<std::string>>> tip() override;

  // The power goes. What the plan leaves of unsynced bytes is durable afterwards.
  void crash();

  // For tests: what a chain's volumes hold, byte for byte; damage behind everybody's back is welcome.
  std::map<std::string, std::vector<std::string>, std::less<>> volumes() const;
  const std::optional<std::string>& tip_line() const { return tip_; }
  void set_volumes(const std::string& chain, std::vector<std::string> volumes);

 private:
  struct End {
    std::size_t volumes = 0;
    std::size_t size = 0;  // of the last one
  };
  struct Chain {
    std::vector<std::string> volumes;
    End durable;
    bool new_volume = false;

    End now() const { return {volumes.size(), volumes.empty() ? 0 : volumes.back().size()}; }
    void take_back();
    std::size_t unsynced_bytes() const;
  };

  std::size_t choose(FaultPoint point, std::size_t choices) {
    return plan_ == nullptr ? 0 : plan_->choose(point, choices);
  }
  void write(std::string_view chain, std::string_view bytes);
  Status refuse_if_failed() const;

  FaultPlan* plan_;
  InjectedDelay delay_;
  std::map<std::string, Chain, std::less<>> chains_;
  std::optional<std::string> tip_;
  bool failed_ = false;
};

}  // namespace pawl
