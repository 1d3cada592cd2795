#include "audit/chain_lineage.h"

#include <algorithm>
#include <queue>

#include "audit/source_number.h"

namespace pawl::audit {

ChainLineage::ChainLineage(const RootFacts& facts) {
  chains_.reserve(facts.opened.size());
  // root_facts.cc admits only parents that were announced before and so have smaller numbers.
  for (const auto& [shard, opened] : facts.opened) {
    Chain chain;
    chain.opened_with_gap = opened.gap;
    chain.closed_with_gap = opened.gap_at_end;
    if (opened.parent) chain.parent = find(*opened.parent);
    index_.emplace(shard, chains_.size());
    chains_.push_back(std::move(chain));
  }
  for (std::size_t i = chains_.size(); i-- > 0;) {
    if (chains_[i].parent != kNone) chains_[chains_[i].parent].size += chains_[i].size;
  }
  std::size_t roots_end = 0;
  std::vector<std::size_t> next(chains_.size());  // the place of a chain's next child
  for (std::size_t i = 0; i < chains_.size(); ++i) {
    Chain& chain = chains_[i];
    std::size_t& place = chain.parent == kNone ? roots_end : next[chain.parent];
    chain.place = place;
    place += chain.size;
    next[i] = chain.place + 1;
  }
}

std::size_t ChainLineage::find(ShardId shard) const {
  const auto found = index_.find(shard);
  return found == index_.end() ? kNone : found->second;
}

void ChainLineage::add_gap(ShardId shard, std::uint64_t sequence) {
  const auto at = find(shard);
  if (at == kNone) return;
  if (gaps_kept_ == kGapsMax) {
    chains_[at].gaps_everywhere = true;
    return;
  }
  ++gaps_kept_;
  chains_[at].gaps.push_back(sequence);
}

void ChainLineage::finish_gaps() {
  for (Chain& chain : chains_) {
    // Behind every change of its chain, and before those of its descendants.
    if (chain.closed_with_gap) chain.gaps.push_back(~std::uint64_t{0});
    chain.gaps_before = chain.opened_with_gap ? 1 : 0;
    if (chain.parent == kNone) continue;
    const Chain& parent = chains_[chain.parent];
    chain.gaps_before += parent.gaps_before + parent.count();
  }
}

bool ChainLineage::Chain::has_gap_in(std::uint64_t after, std::uint64_t until) const {
  if (gaps_everywhere) return true;
  const auto at = std::upper_bound(gaps.begin(), gaps.end(), after);
  return at != gaps.end() && *at <= until;
}

bool ChainLineage::is_gap_between(ChainPlace from, ChainPlace to) const {
  const auto from_at = find(from.shard);
  const auto to_at = find(to.shard);
  if (from_at == kNone || to_at == kNone) return false;
  const Chain& one = chains_[from_at];
  const Chain& other = chains_[to_at];
  if (from_at == to_at) return one.has_gap_in(from.sequence, to.sequence);
  if (one.has_gap_in(from.sequence, ~std::uint64_t{0}) || other.has_gap_in(0, to.sequence)) {
    return true;
  }
  const std::uint64_t passed = is_ancestor(one, other) ? one.gaps_before + one.count() : 0;
  return other.gaps_before > passed;
}

std::vector<std::size_t> ChainLineage::order(const std::vector<Span>& spans) const {
  std::vector<std::size_t> by_place(spans.size());
  std::vector<const Chain*> chains(spans.size());
  static const Chain kUnknown{};
  for (std::size_t i = 0; i < spans.size(); ++i) {
    by_place[i] = i;
    const auto at = find(spans[i].shard);
    chains[i] = at == kNone ? &kUnknown : &chains_[at];
  }
  std::sort(by_place.begin(), by_place.end(),
            [&](auto a, auto b) { return chains[a]->place < chains[b]->place; });
  // Of each span, those whose nearest ancestor among the spans it is. Sorted by place, a chain's descendants follow it.
  std::vector<std::vector<std::size_t>> children(spans.size());
  const auto later = [&](std::size_t a, std::size_t b) {
    const auto& one = spans[a].first_source;
    const auto& other = spans[b].first_source;
    return one == other ? spans[a].shard > spans[b].shard : source_before(other, one);
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> ready(later);
  std::vector<std::size_t> path;
  for (const auto i : by_place) {
    while (!path.empty() && !is_ancestor(*chains[path.back()], *chains[i])) path.pop_back();
    if (path.empty()) {
      ready.push(i);
    } else {
      children[path.back()].push_back(i);
    }
    path.push_back(i);
  }
  std::vector<std::size_t> ordered;
  ordered.reserve(spans.size());
  while (!ready.empty()) {
    const auto i = ready.top();
    ready.pop();
    ordered.push_back(i);
    for (const auto child : children[i]) ready.push(child);
  }
  return ordered;
}

}  // namespace pawl::audit
