// What the readers of a worker can do, and what must be so in every state.
#include <algorithm>
#include <utility>

#include "guard/exploration_world_test.h"

namespace pawl::guard::exploration {

// What the root chain says: the service's id of a number, and whether it is closed.
std::optional<std::string> source_of(const World& world, ShardNumber number) {
  for (const auto& entry : world.root_chain) {
    const auto* opened = std::get_if<ShardOpened>(&entry);
    if (opened != nullptr && opened->number == number) return opened->shard;
  }
  return std::nullopt;
}
std::optional<ShardNumber> number_of(const World& world, const std::string& source) {
  for (const auto& entry : world.root_chain) {
    const auto* opened = std::get_if<ShardOpened>(&entry);
    if (opened != nullptr && opened->shard == source) return opened->number;
  }
  return std::nullopt;
}
bool is_closed(const World& world, ShardNumber number) {
  return std::any_of(world.root_chain.begin(), world.root_chain.end(), [&](const auto& entry) {
    const auto* closed = std::get_if<ShardClosed>(&entry);
    return closed != nullptr && closed->number == number;
  });
}

bool apply_page(World& world, const LateWrite& write) {
  auto& chain = world.chains[write.shard];
  if (chain.pages.size() != write.index) return false;
  for (const auto& page : chain.pages) {
    if (page.holder > write.page.holder)
      world.broken = "fencing: an earlier holder's page after a later one's";
  }
  chain.pages.push_back(write.page);
  return true;
}

void Machine::reader_actions(const World& world, std::size_t w, std::vector<Next>& next) const {
  for (const auto& [shard, reader] : world.workers[w].readers) {
    const auto source = source_of(world, shard);
    if (!source) {
      next.push_back({world, false});
      next.back().world.broken = "a shard is read that the root chain does not know";
      return;
    }
    if (!reader.opened) {
      next.push_back({world, false});
      auto& after = next.back().world.workers[w].readers[shard];
      after.opened = true;
      const auto chain = world.chains.find(shard);
      after.pages = chain == world.chains.end() ? 0 : chain->second.pages.size();
      after.paged = chain == world.chains.end() ? 0 : chain->second.records();
      after.in_hand.clear();
      if (bug_ != Bug::kGoesOnAfterLastRead || reader.read < after.paged) after.read = after.paged;
      continue;
    }
    const int all = world.stream.records(*source);
    if (!reader.in_hand.empty()) put_page(world, w, shard, next);
    if (reader.read < all && !reader.leaving) {
      next.push_back({world, false});
      auto& after = next.back().world.workers[w].readers[shard];
      after.in_hand.push_back(++after.read);
      continue;
    }
    if (!reader.in_hand.empty()) continue;
    if (reader.leaving) {
      next.push_back({world, false});
      give(next.back().world, w, RoundEnded{shard});
    } else if (world.stream.closed(*source)) {
      next.push_back({world, false});
      next.back().world.workers[w].readers.erase(shard);
      give(next.back().world, w, ShardFinished{shard});
    }
  }
}

void Machine::put_page(World world, std::size_t w, ShardNumber shard,
                       std::vector<Next>& next) const {
  if (!may_write_shard(world, w, shard)) return;
  const auto& reader = world.workers[w].readers[shard];
  const LateWrite write{LateWrite::What::kPage,          {}, 0, {}, shard, reader.pages,
                        {reader.in_hand, reader.holder}, {}};
  if (world.left.doubtful_pages > 0) {
    Next one{world, true};
    --one.world.left.doubtful_pages;
    one.world.late.push_back(write);
    one.world.workers[w].readers[shard].opened = false;  // the chain's end is read again
    next.push_back(std::move(one));
  }
  auto& after = world.workers[w].readers[shard];
  if (apply_page(world, write)) {
    ++after.pages;
    after.paged += static_cast<int>(after.in_hand.size());
    after.in_hand.clear();
  } else {
    after.opened = false;
  }
  next.push_back({std::move(world), false});
}

bool Machine::is_done(const World& world) {
  for (const char* source : {"P", "A", "B"}) {
    const auto number = number_of(world, source);
    if (!number || !is_closed(world, *number)) return false;
    if (world.rows.contains(shard_row_name(*number))) return false;
  }
  return true;
}

std::string Machine::check(const World& world) {
  if (!world.broken.empty()) return world.broken;
  for (const auto& [shard, chain] : world.chains) {
    int last = 0;
    for (const auto& page : chain.pages) {
      for (const int record : page.records) {
        if (record != ++last) return "P1/P2: a record is missing, twice or out of order";
      }
    }
  }
  const auto parent = number_of(world, "P");
  for (const char* source : {"A", "B"}) {
    const auto child = number_of(world, source);
    if (!child) continue;
    if (!parent) return "P2: a child is entered before its parent";
    const auto chain = world.chains.find(*child);
    if (chain == world.chains.end() || chain->second.pages.empty()) continue;
    const auto before = world.chains.find(*parent);
    if (before == world.chains.end() || before->second.records() < 2 || !is_closed(world, *parent))
      return "P2: a child's page before its parent is closed";
  }
  for (const char* source : {"P", "A", "B"}) {
    const auto number = number_of(world, source);
    if (!number || !is_closed(world, *number)) continue;
    const auto chain = world.chains.find(*number);
    if (chain == world.chains.end() || chain->second.records() < world.stream.records(source))
      return "P1: a shard is closed that was not read to its end";
  }
  std::map<std::string, int> opened;
  for (const auto& entry : world.root_chain) {
    if (const auto* one = std::get_if<ShardOpened>(&entry)) {
      if (++opened[one->shard] > 1) return "P1: a shard is entered twice";
      if (one->gap) return "lineage: a gap where there is none";
    }
  }
  const auto& a = world.workers[0].membership;
  const auto& b = world.workers[1].membership;
  if (a.may_write_root(world.now) && b.may_write_root(world.now))
    return "fencing: two may write the root chain";
  for (ShardNumber shard = 1; shard <= 3; ++shard) {
    if (a.may_write_shard(shard, world.now) && b.may_write_shard(shard, world.now))
      return "fencing: two may write one shard's chain";
  }
  return {};
}

}  // namespace pawl::guard::exploration
