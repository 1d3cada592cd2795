// What an on-failure destination is told of a batch that has failed for good: metadata for a queue, the records besides for a
// bucket. Source of both forms: AWS Lambda developer guide, "Retaining discarded batch records".
#pragma once

#include <string>
#include <string_view>

#include "trigger/trigger_ports.h"

namespace pawl::trigger {

struct FailedBatch {
  const MappingRecord& mapping;
  std::string_view shard_name;
  Reason reason;
  std::uint32_t attempts;
  SequenceNumber first;
  SequenceNumber last;
  Instant first_instant;
  Instant last_instant;
  std::size_t count;
  std::string_view request_id;  // of the last invocation; may be empty
  std::string_view payload;     // as the function was given it
  Instant now;
  std::uint64_t unique;  // random
};
FailureNotice notice_of(const FailedBatch& batch);

// The keys of a record as JSON, at most kDeadLetterKeyMax bytes; empty if it has none.
std::string key_of_record(std::string_view record);

}  // namespace pawl::trigger
