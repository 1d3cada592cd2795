// What a table of this server expects of its function: an object for every change, in a bucket of this server, by a deadline. And
// whether the archiver records the table as well.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/instant.h"
#include "base/result.h"

namespace pawl::server {

class Section;

inline constexpr Duration kDeadlineMin = std::chrono::seconds(1);
inline constexpr Duration kDeadlineMax = std::chrono::hours(24);

struct ExpectationConfig {
  std::string bucket;
  std::string names;                             // a template, archive/object_naming.h
  Duration deadline = std::chrono::seconds(60);  // kDeadlineMin to kDeadlineMax
  bool writes = true;  // on_missing = "write": what does not come Pawl puts in; "alert": it is told
  // The attribute that counts an item's versions. Nothing: the last that `names` names, unless that is a key.
  std::optional<std::string> version_attribute = {};
};

struct RecordChoice {
  bool archive = true;
  std::optional<ExpectationConfig> expect;
};

// The keys `expect` and `record` of a table's section. Errors: kInvalid, saying what to write instead.
Result<RecordChoice> read_record_choice(Section& table);

}  // namespace pawl::server
