// What a worker of `pawl guard check` has to tell between two looks of the person who runs it: counts, and the first of the objects
// that are missing. Bounded: however many are missing at once, few are told one by one; the ledger has all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "guard/expected_objects.h"

namespace pawl::server {

// Thread-safe.
class CheckLog {
 public:
  // Told one by one, between two take_missing().
  static constexpr std::size_t kToldMax = 20;

  struct Missing {
    std::vector<std::string> first;  // a sentence each
    std::uint64_t more = 0;
  };

  // A change whose page is durable.
  void take(const guard::RenderedChange& change);
  // Since this process began, whatever became of its shards.
  guard::CheckCounts counts() const;
  // Those since the last call.
  Missing take_missing();

 private:
  mutable std::mutex mutex_;
  guard::CheckCounts counts_;
  Missing missing_;
};

}  // namespace pawl::server
