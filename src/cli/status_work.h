// What `pawl status` shows of functions, queues and buckets: one line a kind, and a line each for those with something wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "item/json_fields.h"

namespace pawl::cli {

// A function that failed, was throttled or lost an asynchronous invocation, since the server's start.
struct FunctionNote {
  std::string function;      // empty: the sum of those that are not listed by name
  std::uint64_t failed = 0;  // by its handler, or when it started
  std::uint64_t timed_out = 0;
  std::uint64_t exited = 0;
  std::uint64_t throttled = 0;
  std::uint64_t not_run = 0;
  std::uint64_t discarded = 0;
  std::string last_at;
  std::string last_why;
};

// A queue that nobody keeps up with: messages wait long, expire, or are dead letters.
struct QueueNote {
  std::string queue;  // empty: the sum, as above
  std::uint64_t messages = 0;
  std::uint64_t oldest_age_ms = 0;
  std::uint64_t retention_s = 0;
  std::uint64_t expired = 0;
  bool holds_dead_letters = false;
};

struct WorkPart {
  std::uint64_t functions = 0;
  std::uint64_t processes = 0;
  std::uint64_t under_way = 0;
  std::uint64_t waiting = 0;
  std::uint64_t events = 0;
  std::uint64_t returned = 0;
  std::uint64_t not_returned = 0;
  std::vector<FunctionNote> function_notes;
  std::uint64_t queues = 0;
  std::uint64_t visible = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t delayed = 0;
  std::uint64_t elsewhere = 0;  // messages of queues that are not listed
  std::vector<QueueNote> queue_notes;
  std::uint64_t buckets = 0;
};

// Of a server that says nothing of them: empty. Errors: kCorrupt.
Result<WorkPart> read_work(item::JsonFields& status);
void append_work(std::string& out, const WorkPart& work);

}  // namespace pawl::cli
