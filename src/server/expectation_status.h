// What is told of an expectation: a table of which a function is to write an object for every change. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "bucket/kept_recorder.h"
#include "guard/expected_objects.h"
#include "pipeline/recorder_status.h"
#include "server/expectation_config.h"
#include "trigger/redelivery.h"

namespace pawl::server {

struct ExpectationStatus {
  std::string table;
  std::optional<Incarnation> incarnation;  // nothing: there is no such table
  ExpectationConfig config;
  bool deleted = false;  // and not all of it is in the ledger yet
  pipeline::FlowState state = pipeline::FlowState::kUnproven;
  std::uint64_t committed = 0;         // changes, over all shards
  std::uint64_t entered = 0;           // of them, in the ledger
  std::uint64_t awaited = 0;           // of the others, those that are being looked for
  std::optional<Duration> oldest_age;  // of the oldest change that is not entered
  guard::CheckCounts counts;           // since the start
  trigger::RedeliveryStatus redelivery;
  bucket::KeptStatus kept;  // of its bucket: contents that were replaced or deleted
  std::string why;          // the last trouble; empty: none since something came through
};

}  // namespace pawl::server
