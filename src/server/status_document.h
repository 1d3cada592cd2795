// What `pawl status` shows: docs/schemas/status.schema.json, and the same figures as Prometheus metrics.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.h"
#include "function/function_meter.h"
#include "pipeline/recorder_status.h"
#include "queue/queue_board.h"
#include "server/expectation_status.h"
#include "table/table_definition.h"
#include "trigger/mapping_desk.h"

namespace pawl::server {

struct StatusFacts {
  std::string profile = "pawl";  // or "aws"
  std::string endpoint;
  std::string data;
  std::string archive;
  std::string archive_id;
  std::string public_key;  // base64
  Instant started;
  Instant now;
  std::optional<std::string> writes_refused;  // why
  std::optional<std::string> trim_error;
  std::optional<Duration> clock_set_back;
  std::vector<table::TableDescription> tables;
  pipeline::RecorderStatus recorder;
  std::vector<trigger::MappingStatus> mappings;
  std::vector<ExpectationStatus> expectations;
  std::shared_ptr<const queue::QueuesFigures> queues =
      std::make_shared<const queue::QueuesFigures>();  // never null
  std::optional<std::uint64_t> buckets;                // how many; nothing: their store did not say
  function::FunctionsFigures functions;
};

// One alarm a person should look at. One that does not stand is told once and asks nothing more of anybody.
struct AlarmLine {
  std::string kind;
  std::string subject;
  std::string text;
  std::optional<Instant> since;
  bool standing = true;
};
std::vector<AlarmLine> alarms_of(const StatusFacts& facts);

std::string status_json(const StatusFacts& facts);
std::string metrics_text(const StatusFacts& facts);

}  // namespace pawl::server
