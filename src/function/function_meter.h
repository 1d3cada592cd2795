// What is counted of functions since the start, and what their processes do now: for `pawl status` and the metrics.
//
// Thread use: written on the runner's executor, a lock of the function's own for each of its steps, which only a reader may hold
// for a moment; read from any thread. Bounded: a function's figures are some 300 bytes and one text that is cut; as many as there
// are functions. Nothing of it survives the process.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "function/function_types.h"
#include "port/function_host.h"

namespace pawl::function {

inline constexpr std::size_t kFailureBytesMax = 512;
inline constexpr std::size_t kListedMax = 100;
inline constexpr std::size_t kOutcomes = 6;  // of InvocationResult

// How long calls took, of those that were begun: from when a process was given one until its end.
struct DurationFigures {
  static constexpr std::array<std::uint32_t, 12> kBoundsMs{
      5, 10, 25, 50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000, 60'000};
  std::array<std::uint64_t, kBoundsMs.size() + 1>
      calls{};  // up to each bound and above the one before; the last: longer
  std::uint64_t total_ms = 0;

  void add(Duration took);
  std::uint64_t count() const;
};

struct ProcessFigures {
  std::uint64_t starting = 0;  // its code is made ready, or it has not asked for work yet
  std::uint64_t idle = 0;
  std::uint64_t busy = 0;
  std::uint64_t ending = 0;   // killed, and not gone yet
  std::uint64_t calls = 0;    // with a process
  std::uint64_t waiting = 0;  // calls without one yet
};

struct FunctionFigures {
  ProcessFigures now;
  std::array<std::uint64_t, kOutcomes> ended{};  // by InvocationResult::Outcome
  DurationFigures durations;
  std::uint64_t discarded_events = 0;  // asynchronous invocations that were given up
  struct Failure {
    Instant at;
    InvocationResult::Outcome outcome = InvocationResult::Outcome::kFailed;
    std::string why;  // bytes of the function's, too; cut at kFailureBytesMax
  };
  std::optional<Failure> last_failure;  // not of one that was throttled

  std::uint64_t count(InvocationResult::Outcome outcome) const {
    return ended[static_cast<std::size_t>(outcome)];
  }
  // All but the last failure.
  void add(const FunctionFigures& other);
};

// One function's.
class FunctionMeter {
 public:
  void processes(const ProcessFigures& now);
  // `took`: of a call that was begun.
  void ended(const InvocationResult& result, std::optional<Duration> took, Instant at);
  void discarded_event();
  FunctionFigures figures() const;

 private:
  mutable std::mutex mutex_;
  FunctionFigures figures_;  // guarded by mutex_
};

// All functions', by id. Thread-safe.
class FunctionMeters {
 public:
  std::shared_ptr<FunctionMeter> of(const FunctionRecord& function);
  // Those of the functions of that name, but for the one with id `but`, are gone.
  void forget(const std::string& name, std::uint64_t but);
  // Of a function that was called; nothing if it is gone.
  void discarded_event(std::uint64_t function);
  std::map<std::uint64_t, FunctionFigures> figures() const;

 private:
  struct Entry {
    std::string name;
    std::shared_ptr<FunctionMeter> meter;
  };
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Entry> meters_;  // guarded by mutex_
};

struct FunctionLine {
  std::string name;
  FunctionFigures figures;
  std::uint64_t events = 0;  // asynchronous invocations that were accepted, and are not done
};
struct FunctionsFigures {
  std::vector<FunctionLine> listed;  // the first kListedMax by name
  std::uint64_t other_functions = 0;
  FunctionLine others;  // the sum of the rest
};
// `functions` by name.
FunctionsFigures figures_of(const std::vector<FunctionPtr>& functions,
                            const std::map<std::uint64_t, FunctionFigures>& figures,
                            const std::map<std::uint64_t, std::uint64_t>& events);

}  // namespace pawl::function
