// How the chains of guarded tables follow one another, and where changes are known to be missing.
//
// A shard of a stream hands its items on to its children, so an item's changes stand in several chains. A parent's come
// before its child's. Chains that no lineage orders (the parent was trimmed, or the stream was enabled anew) are ordered by
// the source numbers of the item's first changes in them: an item is in one shard at a time, so its changes in two
// chains don't interleave.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "audit/root_facts.h"
#include "base/ids.h"

namespace pawl::audit {

// Where a change stands.
struct ChainPlace {
  ShardId shard;
  std::uint64_t sequence = 0;
};

// Built from the root chain; then gaps are added; then it is asked. Memory: about 150 bytes a chain, and 8 a gap, of
// which at most kGapsMax are kept one by one. One thread.
class ChainLineage {
 public:
  static constexpr std::size_t kGapsMax = 4'000'000;

  explicit ChainLineage(const RootFacts& facts);

  // Records before this change of its chain were trimmed before they were read. Ascending within a chain.
  void add_gap(ShardId shard, std::uint64_t sequence);
  // After the last add_gap(), before the first is_gap_between().
  void finish_gaps();

  // Whether changes may be missing between `from` and `to`, of which `from` is earlier. Where no lineage orders their
  // chains, any gap on the way to `to` counts.
  bool is_gap_between(ChainPlace from, ChainPlace to) const;

  // One item's changes in one chain.
  struct Span {
    ShardId shard;
    std::string first_source;
  };
  // Indexes into `spans`, of which no two are of one chain, oldest first.
  std::vector<std::size_t> order(const std::vector<Span>& spans) const;

 private:
  struct Chain {
    std::size_t parent = kNone;
    // A chain's descendants are those whose place is in (place, place + size): numbered parents first, depth first.
    std::size_t place = 0;
    std::size_t size = 1;
    bool opened_with_gap = false;
    bool closed_with_gap = false;
    bool gaps_everywhere = false;     // there were too many to keep
    std::vector<std::uint64_t> gaps;  // sequences, ascending
    std::uint64_t gaps_before =
        0;  // on the way here: its own opening, its ancestors' and all in them
    std::uint64_t count() const { return gaps.size() + (gaps_everywhere ? 1 : 0); }
    bool has_gap_in(std::uint64_t after, std::uint64_t until) const;
  };
  static constexpr std::size_t kNone = ~std::size_t{0};

  std::size_t find(ShardId shard) const;
  bool is_ancestor(const Chain& one, const Chain& other) const {
    return one.place < other.place && other.place < one.place + one.size;
  }

  std::map<ShardId, std::size_t> index_;
  std::vector<Chain> chains_;  // in the order of their numbers, so that parents come first
  std::size_t gaps_kept_ = 0;
};

}  // namespace pawl::audit
