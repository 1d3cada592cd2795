// What `pawl status` shows a person, out of the status document.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/status_expectations.h"
#include "cli/status_work.h"

namespace pawl::cli {

struct TableLine {
  std::string table;
  std::string incarnation;
  bool recorded = false;
  bool deleted = false;  // only its shards are left, until all is archived
  std::uint64_t items = 0;
  std::uint64_t committed = 0;  // versions
  std::uint64_t archived = 0;
  std::uint64_t lag = 0;
  std::uint64_t oldest_age_ms = 0;
  std::string state;  // the worst of its shards'; empty if it has none
};

// A shard that is stalled, lagging or unproven.
struct ShardLine {
  std::string shard;
  std::string table;
  std::string state;
  std::string where;
  std::string why;
  std::string since;
};

// An event source mapping.
struct MappingLine {
  std::string function;
  std::string table;
  std::string state;
  std::string last_result;
  std::string why;
  std::uint64_t lag = 0;
  std::uint64_t oldest_age_ms = 0;
  std::uint64_t delivered = 0;
  std::uint64_t dead_letters = 0;
};

struct AlarmNote {
  std::string kind;
  std::string subject;
  std::string text;
  std::string since;
  bool standing = true;  // false: it was told once, and asks nothing more of anybody
};

struct StatusPage {
  std::string software;
  std::string profile;
  std::string endpoint;
  std::string data;
  std::string archive;
  std::string now;
  bool writes_taken = false;
  std::uint64_t lag = 0;
  std::uint64_t stalled_shards = 0;
  std::vector<TableLine> tables;
  std::vector<ShardLine> shards;
  std::vector<MappingLine> mappings;          // none of a server that has no mappings yet
  std::vector<ExpectationLine> expectations;  // likewise
  WorkPart work;
  std::vector<AlarmNote> alarms;

  bool is_well() const {
    return writes_taken && stalled_shards == 0 &&
           std::none_of(alarms.begin(), alarms.end(),
                        [](const AlarmNote& alarm) { return alarm.standing; });
  }
};

// Reads docs/schemas/status.schema.json. Control characters in its texts are replaced: it goes to a terminal.
// Errors: kCorrupt if the document is something else.
Result<StatusPage> parse_status(std::string_view json);

// For people, in colour on a terminal.
std::string to_text(const StatusPage& page);

}  // namespace pawl::cli
