// The operations of SQS: each makes a command of a request, and knows how to write what the queues answer. Internal to
// sqs_service.cc.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "queue/command.h"
#include "wire/sqs_answer.h"
#include "wire/sqs_value.h"

namespace pawl::wire {

// One request. Views are valid while it is being planned.
struct SqsCall {
  SqsInput input;
  std::string_view host;    // as the client calls this server: part of queue URLs
  std::string_view region;  // of the credential scope: part of ARNs
  std::string_view sender;  // access key id, or empty
  std::string_view path;    // of the request: a queue's, where the client sends it there
};

struct SqsPlan {
  queue::Command command;  // without `bytes` and `done`
  // Called with an answer that has no failure of the whole.
  std::function<SqsResult<Unit>(const queue::Answer&, SqsAnswer&)> write;
};

struct SqsOperation {
  std::string_view name;
  bool has_result = false;  // XML: whether there is a <…Result>
  SqsResult<SqsPlan> (*plan)(const SqsCall&) = nullptr;
  std::string_view left_out;  // what it belongs to, where it is not served
};

// Null if SQS has no such operation.
const SqsOperation* find_sqs_operation(std::string_view name);

// A failure of the whole command, or of one entry.
SqsError sqs_error_of(const queue::Failure& failure);

// The queue that a request names.
SqsResult<std::string> queue_of(const SqsCall& call);

// sqs_queue_operations.cc
SqsResult<SqsPlan> plan_create_queue(const SqsCall& call);
SqsResult<SqsPlan> plan_get_queue_url(const SqsCall& call);
SqsResult<SqsPlan> plan_list_queues(const SqsCall& call);
SqsResult<SqsPlan> plan_list_sources(const SqsCall& call);
SqsResult<SqsPlan> plan_get_attributes(const SqsCall& call);
SqsResult<SqsPlan> plan_set_attributes(const SqsCall& call);
SqsResult<SqsPlan> plan_delete_queue(const SqsCall& call);
SqsResult<SqsPlan> plan_purge_queue(const SqsCall& call);
// sqs_message_operations.cc
SqsResult<SqsPlan> plan_send(const SqsCall& call);
SqsResult<SqsPlan> plan_send_batch(const SqsCall& call);
SqsResult<SqsPlan> plan_receive(const SqsCall& call);
SqsResult<SqsPlan> plan_delete(const SqsCall& call);
SqsResult<SqsPlan> plan_delete_batch(const SqsCall& call);
SqsResult<SqsPlan> plan_change(const SqsCall& call);
SqsResult<SqsPlan> plan_change_batch(const SqsCall& call);

}  // namespace pawl::wire
