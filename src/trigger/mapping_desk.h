// What can be asked of the mappings, as plain data: the wire makes these of requests, and of the answers what Lambda says.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "trigger/mapping.h"
#include "trigger/shard_task.h"

namespace pawl::trigger {

enum class MappingState : std::uint8_t {
  kCreating,
  kEnabling,
  kEnabled,
  kDisabling,
  kDisabled,
  kUpdating,
  kDeleting,
};
std::string_view name_of(MappingState state);  // as the service words them: "Enabled", …

// A mapping at one moment.
struct MappingStatus {
  MappingRecord record;
  MappingState state = MappingState::kCreating;
  std::string last_result = "No records processed";
  std::string why;
  std::vector<ShardTaskStatus> shards;
  std::vector<std::optional<Instant>> oldest;  // one a shard: of the first change that is not done
  std::uint64_t dead_letters = 0;              // kept, over all shards
  struct Poisoned {
    std::uint32_t shard = 0;
    DeadLetter letter;  // without its record
  };
  std::vector<Poisoned> newest_dead_letters;  // at most kDeadLettersShown
};
inline constexpr std::size_t kDeadLettersShown = 10;

enum class MappingRefusal : std::uint8_t {
  kNotFound,
  kExists,   // the function has a mapping of that stream already; the message names it
  kInUse,    // it is about to be deleted, or in the middle of another change
  kTooMany,  // kMappingsMax
  kNotDone,  // the store said so
};
struct MappingFailure {
  MappingRefusal refusal = MappingRefusal::kNotDone;
  std::string message;
};
using MappingAnswer = Result<MappingStatus, MappingFailure>;
using MappingDone = std::function<void(MappingAnswer)>;

// Thread-safe. `done` is called once, on the stage's executor or, at once, on the caller's thread; what it says was done is
// durable.
class MappingDesk {
 public:
  virtual ~MappingDesk() = default;
  virtual void create(MappingConfig config, MappingSource source, MappingDone done) = 0;
  virtual void update(const MappingId& id, MappingChanges changes, MappingDone done) = 0;
  virtual void remove(const MappingId& id, MappingDone done) = 0;
  virtual std::optional<MappingStatus> find(const MappingId& id) const = 0;
  // In order of their ids.
  virtual std::vector<MappingStatus> list() const = 0;
};

}  // namespace pawl::trigger
