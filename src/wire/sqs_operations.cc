#include "wire/sqs_operations.h"

#include "wire/sqs_queue_attributes.h"

namespace pawl::wire {
namespace {

constexpr std::string_view kTags = "tags";
constexpr std::string_view kPermissions = "permissions";
constexpr std::string_view kMoves = "message moves";

constexpr SqsOperation kOperations[] = {
    {"SendMessage", true, plan_send, {}},
    {"ReceiveMessage", true, plan_receive, {}},
    {"DeleteMessage", false, plan_delete, {}},
    {"SendMessageBatch", true, plan_send_batch, {}},
    {"DeleteMessageBatch", true, plan_delete_batch, {}},
    {"ChangeMessageVisibility", false, plan_change, {}},
    {"ChangeMessageVisibilityBatch", true, plan_change_batch, {}},
    {"CreateQueue", true, plan_create_queue, {}},
    {"GetQueueUrl", true, plan_get_queue_url, {}},
    {"ListQueues", true, plan_list_queues, {}},
    {"GetQueueAttributes", true, plan_get_attributes, {}},
    {"SetQueueAttributes", false, plan_set_attributes, {}},
    {"DeleteQueue", false, plan_delete_queue, {}},
    {"PurgeQueue", false, plan_purge_queue, {}},
    {"ListDeadLetterSourceQueues", true, plan_list_sources, {}},
    {"TagQueue", false, nullptr, kTags},
    {"UntagQueue", false, nullptr, kTags},
    {"ListQueueTags", true, nullptr, kTags},
    {"AddPermission", false, nullptr, kPermissions},
    {"RemovePermission", false, nullptr, kPermissions},
    {"StartMessageMoveTask", true, nullptr, kMoves},
    {"CancelMessageMoveTask", true, nullptr, kMoves},
    {"ListMessageMoveTasks", true, nullptr, kMoves},
};

}  // namespace

const SqsOperation* find_sqs_operation(std::string_view name) {
  for (const SqsOperation& operation : kOperations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

SqsError sqs_error_of(const queue::Failure& failure) {
  using queue::Refusal;
  switch (failure.refusal) {
    case Refusal::kNoSuchQueue:
      return {sqs_errors::kNoSuchQueue, "The specified queue does not exist."};
    case Refusal::kExistsOtherwise:
      return {sqs_errors::kQueueExists,
              "A queue already exists with the same name and a different value for attribute " +
                  failure.message};
    case Refusal::kNoSuchTarget:
      return {sqs_errors::kInvalidParameter,
              "Value for parameter RedrivePolicy is invalid. Reason: Dead letter target does not "
              "exist: " +
                  failure.message + "."};
    case Refusal::kTooLarge:
      return {sqs_errors::kInvalidParameter,
              "One or more parameters are invalid. Reason: Message must be shorter than " +
                  failure.message + " bytes."};
    case Refusal::kBadReceipt:
      return {sqs_errors::kBadReceipt, "The input receipt handle is invalid."};
    case Refusal::kGone:
      return {sqs_errors::kInvalidParameter,
              "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is "
              "not available for visibility timeout change."};
    case Refusal::kNotInFlight:
      return {sqs_errors::kNotInFlight, "The message referred to isn't in flight."};
    case Refusal::kHiddenTooLong:
      return {sqs_errors::kInvalidParameter,
              "Value for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout "
              "for the message is beyond the limit [43200 seconds]."};
    case Refusal::kOverLimit:
      return {sqs_errors::kOverLimit, "Too many messages are in flight (120000 at most)."};
    case Refusal::kTooManyQueues:
      return {sqs_errors::kOverLimit, "There are too many queues (10000 at most)."};
    case Refusal::kNoRoom:
      return {sqs_errors::kUnavailable, "Sends are refused for want of room: " + failure.message};
    case Refusal::kBusy:
      return {sqs_errors::kThrottled, "Too many requests are waiting; try again."};
    case Refusal::kStorage:
      return {sqs_errors::kUnavailable, "It was not done: " + failure.message};
    case Refusal::kStopping:
      return {sqs_errors::kUnavailable, "The server is stopping."};
  }
  return {sqs_errors::kUnavailable, failure.message};
}

SqsResult<std::string> queue_of(const SqsCall& call) {
  WIRE_ASSIGN(const auto url, call.input.text("QueueUrl"));
  if (url) return queue_name_of_url(*url);
  if (call.path.size() > 1) return queue_name_of_url(call.path);
  return sqs_error(sqs_errors::kMissingParameter,
                   "The request must contain the parameter QueueUrl.");
}

}  // namespace pawl::wire
