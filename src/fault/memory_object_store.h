// Objects in memory: what stands for a directory or a bucket in unit tests, simulation and the drill.
//
// It is the place and the client in one: crash() is a power cut, which takes what was not synced. Contract and
// conformance suite are those of port/object_store.h.
#pragma once

#include <map>
#include <set>

#include "fault/fault_plan.h"
#include "fault/injected_delay.h"
#include "port/object_store.h"

namespace pawl {

// The answers of FaultPoint::kObjectPut, asked once for each object that is put while it is absent.
enum class ObjectPutFault : std::size_t {
  kNone = 0,
  kRefused,              // not done, and said so
  kStoredAnswerLost,     // kUnknown; it is there and durable (a bucket whose answer was lost)
  kNotStoredAnswerLost,  // kUnknown; it is not there
};
inline constexpr std::size_t kObjectPutFaults = 4;

// The answers of FaultPoint::kObjectSync, asked once for each batch that stored something.
enum class ObjectSyncFault : std::size_t {
  kNone = 0,
  kNotDone,  // the bodies couldn't be synced: nothing of the batch became visible, all is refused
  kInDoubt,  // the names couldn't be synced: visible, kUnknown until set aside; a crash may take them
};
inline constexpr std::size_t kObjectSyncFaults = 3;

// One coroutine at a time. Suspends only with a clock in `delay`: before the batch, and between storing and
// syncing it. Plan and clock must outlive the store.
class MemoryObjectStore final : public ObjectStore {
 public:
  explicit MemoryObjectStore(FaultPlan* plan = nullptr, InjectedDelay delay = {})
      : plan_(plan), delay_(delay) {}

  Awaitable<std::vector<PutResult>> put_if_absent(std::span<const PutRequest> requests) override;
  Awaitable<Result<std::optional<std::string>>> get(std::string_view name,
                                                    std::size_t size_max) override;
  Awaitable<Status> set_aside(std::span<const std::string> names) override;
  Result<std::optional<std::uint64_t>> free_bytes() override { return free_bytes_; }

  void set_free_bytes(std::optional<std::uint64_t> bytes) { free_bytes_ = bytes; }

  // The power goes: of each object that is not durable the plan says whether it is there afterwards (whole,
  // and then durable) or not.
  void crash();

  // For checkers: everything that is visible, and whether it would survive a crash for certain.
  struct Object {
    std::string body;
    bool durable = false;
    bool in_doubt = false;  // its sync has failed
  };
  const std::map<std::string, Object, std::less<>>& objects() const { return objects_; }
  // For tests of repair and verification: damages the store behind everybody's back.
  void destroy(std::string_view name);

 private:
  PutResult put_one(const PutRequest& request, std::vector<std::string>& stored);

  FaultPlan* plan_;
  InjectedDelay delay_;
  std::map<std::string, Object, std::less<>> objects_;
  std::optional<std::uint64_t> free_bytes_;
};

}  // namespace pawl
