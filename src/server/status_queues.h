// The queues in the status document and the metrics: docs/schemas/status.schema.json, "queues" and "other_queues".
#pragma once

#include <string>

#include "base/instant.h"
#include "base/json_writer.h"
#include "queue/queue_board.h"

namespace pawl::server {

void append_queues(JsonWriter& json, const queue::QueuesFigures& queues, Instant now);
void append_queue_metrics(std::string& out, const queue::QueuesFigures& queues, Instant now);

}  // namespace pawl::server
