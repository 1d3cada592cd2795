// The mappings in the status document: docs/schemas/status.schema.json, "mappings".
#pragma once

#include <vector>

#include "base/instant.h"
#include "base/json_writer.h"
#include "server/status_document.h"
#include "trigger/mapping_desk.h"

namespace pawl::server {

void append_mappings(JsonWriter& json, const std::vector<trigger::MappingStatus>& mappings,
                     Instant now);
// Changes that are in their streams and not done, over all mappings.
std::uint64_t mapping_lag(const std::vector<trigger::MappingStatus>& mappings);
std::uint64_t dead_letters_of(const std::vector<trigger::MappingStatus>& mappings);

// One for each shard in which a change stands in the way of others, one for a mapping that stands still for another reason, and
// noted ones for dead letters, and for what a mapping that is disabled makes the change log keep.
std::vector<AlarmLine> mapping_alarms(const std::vector<trigger::MappingStatus>& mappings);

}  // namespace pawl::server
