// Checks that each item's versions are dense and their kinds fit: 0, 1, 2, … with an INSERT first
// and after every REMOVE, over adoptions too. In a deep check also that each change starts where
// the one before ended.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "audit/external_sort.h"
#include "audit/report.h"
#include "audit/root_facts.h"
#include "audit/shard_reader.h"

namespace pawl::audit {

// Digests of a body's two images, as they stand in it; zero for null.
struct ImageDigests {
  Digest old_image;
  Digest new_image;
};

// Gathers entries in any order; checks them in one sorted pass. One thread.
class ItemHistoryCheck {
 public:
  ItemHistoryCheck(const RootFacts& facts, std::size_t memory_max, std::string folder);

  // `images` where the bodies are read, else nullptr; the same for all entries.
  Status add(const LedgerEntry& entry, const ImageDigests* images);
  // Counts items into the report and adds what is wrong. `step` hears of each entry.
  Status check(Report& report, const std::function<void()>& step);

 private:
  struct State {
    std::uint64_t next_version = 0;
    bool exists = false;
    Digest image;
    bool image_known = false;
  };
  struct Parsed;

  void begin_item(const Parsed& entry, Report& report);
  void take(const Parsed& entry, Report& report);

  const RootFacts& facts_;
  std::map<Incarnation, std::vector<Incarnation>> children_;
  ExternalSort sort_;
  std::string item_;                      // lineage and key of the present item
  std::map<Incarnation, State> at_fork_;  // of the present item: where each child goes on
  Incarnation incarnation_;
  State state_;
};

}  // namespace pawl::audit
