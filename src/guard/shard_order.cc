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

NewShards order_new_shards(const Lineage& lineage, const Lineage::Listing& listing) {
  NewShards order;
  Forest forest;
  std::set<std::string> left;  // not reached yet
  std::set<Source> believed;   // by an earlier listing, and not entered yet
  for (const auto& one : lineage.to_open) believed.insert(one.source);
  for (const auto& [id, parent] : listing.shards) {
    const Source source{listing.stream, id};
    if (lineage.numbers.contains(source)) continue;
    left.insert(id);
    if (parent.empty() || lineage.numbers.contains({listing.stream, parent})) {
      forest.ready.push_back({source, parent});
    } else if (listing.shards.contains(parent)) {
      forest.children[parent].push_back(id);
    } else {
      const auto before = lineage.missed.find(source);
      const int times = before == lineage.missed.end() ? 1 : before->second + 1;
      if (times >= kListingsToBelieve || believed.contains(source)) {
        forest.ready.push_back({source, {}});
      } else {
        order.missed[source] = times;
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
