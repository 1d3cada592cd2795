#include "drill/honest_check.h"

#include <algorithm>

namespace pawl::drill {

using pipeline::FlowState;

void HonestCheck::look(MonotonicInstant now, const pipeline::RecorderStatus& status,
                       const std::map<ShardId, KnownShard>& known) {
  std::erase_if(waits_, [&](const auto& wait) { return !known.contains(wait.first); });
  for (const auto& [id, shard] : known) {
    if (shard.newest <= shard.paged) {
      waits_.erase(id);
      continue;
    }
    const std::string who = "P5: shard " + id.to_string() + " has changes that are in no page, ";
    const auto told = std::find_if(status.shards.begin(), status.shards.end(),
                                   [&id = id](const auto& line) { return line.shard == id; });
    if (told == status.shards.end()) {
      violations_.add(who + "and the status does not list it");
      continue;
    }
    if (told->state == FlowState::kIdle) violations_.add(who + "and is called idle");
    auto [wait, is_new] = waits_.try_emplace(id, Wait{shard.paged, told->heartbeat, now});
    if (!is_new && (wait->second.paged != shard.paged || wait->second.heartbeat != told->heartbeat))
      wait->second = {shard.paged, told->heartbeat, now};
    if (now - wait->second.since <= kStalledBy) continue;
    if (told->state != FlowState::kStalled || told->where.empty()) {
      violations_.add(who + "does not move, and is called " +
                      std::string(pipeline::name_of(told->state)));
    }
    if (told->lag == 0) violations_.add(who + "and the status says that nothing waits");
    ++stalls_seen_;
  }
}

}  // namespace pawl::drill
