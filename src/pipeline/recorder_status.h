// What the recorder says of itself: the source of `pawl status`, metrics and alarms. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/instant.h"

namespace pawl::pipeline {

// Promise P5: idle is said only if a heartbeat has just come through; what is not known is unproven.
enum class FlowState : std::uint8_t {
  kUnproven,  // no heartbeat has come through yet, and nothing is due
  kIdle,      // nothing is due, and a heartbeat has just come through
  kFlowing,   // changes come through
  kLagging,   // changes come through, and the oldest that has not is older than kLaggingAge
  kStalled,   // changes are due, or heartbeats, and neither moves
};
std::string_view name_of(FlowState state);

// Heartbeats are born once an interval.
inline constexpr Duration kHeartbeatInterval = std::chrono::seconds(1);
// What a change may take under load before the shard counts as lagging.
inline constexpr Duration kLaggingAge = std::chrono::seconds(5);
// What the stages declare as their own greatest latency while healthy; with two heartbeat intervals it is the time
// after which a shard that does not move is stalled.
inline constexpr Duration kDeclaredLatency = std::chrono::milliseconds(500);
inline constexpr Duration kStalledAfter = 2 * kHeartbeatInterval + kDeclaredLatency;

struct ShardStatus {
  ShardId shard;
  std::string table;
  SequenceNumber committed;            // the newest change that is known
  SequenceNumber archived;             // in durable pages through here
  std::uint64_t lag = 0;               // changes between the two
  std::optional<Duration> oldest_age;  // of the oldest change that is not archived, if one is known
  FlowState state = FlowState::kUnproven;
  std::optional<Instant> stalled_since;
  std::string where;                 // kStalled: "archive", "ledger", "change log", "commit"
  std::string why;                   // the last error there; empty if none was reported
  std::optional<Instant> heartbeat;  // the newest that came through
};

enum class AlarmKind : std::uint8_t {
  kNeedsAdopt,    // data directory and ledger disagree: writes must be refused until `pawl adopt`
  kCounterReset,  // a name was taken by other content: a counter in the items was reset
  kTornPage,      // an incomplete last page was cut off; its changes were still held
  kNoRoom,        // the archive is full: nothing is lost while the change log has room
  kDamaged,       // stored bytes are not what was written
};
std::string_view name_of(AlarmKind kind);
// A state that somebody has to end, and that ends the alarm; the others (kCounterReset, kTornPage) are told once, are
// history from then on, and ask nothing more of anybody.
bool stands(AlarmKind kind);

struct AlarmStatus {
  AlarmKind kind = AlarmKind::kDamaged;
  std::string subject;  // a table or chain
  std::string text;     // what happened and what to do
  Instant since;
};

struct RecorderStatus {
  bool needs_adopt = false;
  std::vector<ShardStatus> shards;  // in order of their ids
  std::vector<AlarmStatus> alarms;
  // Since the start:
  std::uint64_t objects = 0;
  std::uint64_t object_bytes = 0;
  std::uint64_t pages = 0;
  std::uint64_t renamed = 0;  // objects under a fallback name
  std::uint64_t failures = 0;
};

// What the verdict on a shard is made from.
struct FlowFacts {
  bool due = false;  // changes are committed and not archived
  std::optional<Duration> oldest_age;
  Duration since_move{};  // since the last change or heartbeat came through, or since the start
  bool heard = false;     // a heartbeat has come through since the start
  Duration waits{
      0};  // a change waits so long by design (a page interval): part of the declared latency
};
// Pure: see FlowState.
FlowState judge(const FlowFacts& facts);

}  // namespace pawl::pipeline
