#include "pipeline/recorder_status.h"

namespace pawl::pipeline {

std::string_view name_of(FlowState state) {
  switch (state) {
    case FlowState::kUnproven:
      return "unproven";
    case FlowState::kIdle:
      return "idle";
    case FlowState::kFlowing:
      return "flowing";
    case FlowState::kLagging:
      return "lagging";
    case FlowState::kStalled:
      return "stalled";
  }
  return "unproven";
}

std::string_view name_of(AlarmKind kind) {
  switch (kind) {
    case AlarmKind::kNeedsAdopt:
      return "needs-adopt";
    case AlarmKind::kCounterReset:
      return "counter-reset";
    case AlarmKind::kTornPage:
      return "torn-page";
    case AlarmKind::kNoRoom:
      return "no-room";
    case AlarmKind::kDamaged:
      return "damaged";
  }
  return "damaged";
}

bool stands(AlarmKind kind) {
  return kind != AlarmKind::kCounterReset && kind != AlarmKind::kTornPage;
}

FlowState judge(const FlowFacts& facts) {
  if (facts.since_move > kStalledAfter + facts.waits) {
    // Without a heartbeat nothing is known of a shard that has nothing to do; with one that stopped, it is.
    return facts.due || facts.heard ? FlowState::kStalled : FlowState::kUnproven;
  }
  if (facts.due) {
    return facts.oldest_age && *facts.oldest_age > kLaggingAge + facts.waits ? FlowState::kLagging
                                                                             : FlowState::kFlowing;
  }
  return facts.heard ? FlowState::kIdle : FlowState::kUnproven;
}

}  // namespace pawl::pipeline
