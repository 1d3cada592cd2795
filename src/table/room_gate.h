// Whether there is room for writes: below a reserve of bytes or inodes they are refused, so that
// archiver, ledger and compaction still have what they need to drain what was acknowledged (promise
// P6).
#pragma once

#include <optional>
#include <string>

#include "base/instant.h"
#include "port/key_value_store.h"

namespace pawl::table {

struct RoomReserve {
  std::uint64_t bytes = 256ULL * 1024 * 1024;
  std::uint64_t inodes = 20'000;
};

// One thread at a time.
class RoomGate {
 public:
  // How often the store is asked at most.
  static constexpr Duration kInterval = std::chrono::milliseconds(100);
  // Writes are taken again above this much more than the reserve, so that they don't flicker.
  static constexpr std::uint64_t kHysteresisPercent = 25;

  explicit RoomGate(RoomReserve reserve) : reserve_(reserve) {}

  // Asks the store if it is time. Returns whether the verdict has changed. A store that can't tell
  // is taken to have no room: it is about to fail writes, too.
  bool check(KeyValueStore& store, MonotonicInstant now);
  bool enough() const { return enough_; }
  // Why not, for people.
  const std::string& why() const { return why_; }

 private:
  RoomReserve reserve_;
  std::optional<MonotonicInstant> asked_;
  bool enough_ = true;
  std::string why_;
};

}  // namespace pawl::table
