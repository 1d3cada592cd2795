#include "guard/shard_order.h"

#include <algorithm>
#include <set>

namespace pawl::guard {
namespace {

using Source = Lineage::Source;

// The new shards as a forest: who hangs under whom.
struct Forest {
  std::map<std::string, std::vector<std::string>> children;
  std::vector<Lineage::ToOpen> ready;  // those that need no other new shard before them
  std::vector<std::string> held_back;
};

// What hangs under `from`, breadth first; each shard once, since it has one parent.
template <typename Visit>
void for_each_below(const Forest& forest, const std::string& from, const Visit& visit) {
  std::vector<std::string> queue{from};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const auto below = forest.children.find(queue[i]);
    if (below == forest.children.end()) continue;
    for (const auto& child : below->second) {
      visit(child, below->first);
      queue.push_back(child);
    }
  }
}

}  // namespace

NewShards order_new_shards(const Lineage& lineage, const Lineage::Listing& listing,
                           MonotonicInstant now) {
  NewShards order;
  Forest forest;
  std::set<std::string> left;  // not reached yet
  // What earlier listings showed and is not entered yet is there, whether or not this one shows it.
  auto shards = listing.shards;
  std::set<Source> believed;  // to have no parent that there will be
  for (const auto& one : lineage.to_open) {
    if (one.source.first != listing.stream) continue;
    shards.try_emplace(one.source.second, one.parent);
    if (one.parent.empty()) believed.insert(one.source);
  }
  for (const auto& [id, parent] : shards) {
    const Source source{listing.stream, id};
    if (lineage.numbers.contains(source)) continue;
    left.insert(id);
    if (parent.empty() || lineage.numbers.contains({listing.stream, parent})) {
      forest.ready.push_back({source, parent});
    } else if (shards.contains(parent)) {
      forest.children[parent].push_back(id);
    } else {
      const auto before = lineage.missed.find(source);
      const auto since = before == lineage.missed.end() ? now : before->second;
      if (now - since >= kListingPatience || believed.contains(source)) {
        forest.ready.push_back({source, {}});
      } else {
        order.missed[source] = since;
        forest.held_back.push_back(id);
      }
    }
  }
  for (const auto& root : forest.ready) {
    order.to_open.push_back(root);
    left.erase(root.source.second);
    for_each_below(forest, root.source.second, [&](const auto& child, const auto& parent) {
      order.to_open.push_back({{listing.stream, child}, parent});
      left.erase(child);
    });
  }
  for (const auto& root : forest.held_back) {
    left.erase(root);
    for_each_below(forest, root, [&](const auto& child, const auto&) { left.erase(child); });
  }
  order.circle = !left.empty();
  for (const auto& id : left) order.to_open.push_back({{listing.stream, id}, {}});
  return order;
}

}  // namespace pawl::guard
