// One mapping of the stage: mapping_stage.cc runs it, mapping_commands.cc changes it.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "trigger/mapping_stage.h"

namespace pawl::trigger {

struct MappingStage::Entry {
  std::shared_ptr<const MappingView> view;
  MappingState state = MappingState::kCreating;
  // Where each shard begins at a start; nothing: not fixed yet (LATEST under aws).
  std::vector<std::optional<SequenceNumber>> checkpoints;
  std::vector<std::shared_ptr<ShardTask>> tasks;
  std::size_t running = 0;                     // of them
  bool is_new = false;                         // made by this process
  std::optional<MonotonicInstant> settled_at;  // aws: it does nothing until then
  std::uint64_t dead_letters = 0;
  std::deque<MappingStatus::Poisoned> newest_dead_letters;
  // Dead letters that a start found behind their checkpoints: they may be written anew, and are counted already.
  std::set<std::pair<std::uint32_t, SequenceNumber>> counted;
};

}  // namespace pawl::trigger
