// Errors as SQS gives them, in both protocols: JSON clients know an exception by its type, query clients by its code, and
// JSON clients that were written for the older protocol by the header x-amzn-query-error ("code;Sender").
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/service_error.h"

namespace pawl::wire {

struct SqsErrorKind {
  std::string_view type;  // with its namespace
  std::string_view code;
  unsigned status = 400;
  bool sender = true;  // whose fault
};

namespace sqs_errors {
inline constexpr SqsErrorKind kNoSuchQueue{"com.amazonaws.sqs#QueueDoesNotExist",
                                           "AWS.SimpleQueueService.NonExistentQueue"};
inline constexpr SqsErrorKind kQueueExists{"com.amazonaws.sqs#QueueNameExists",
                                           "QueueAlreadyExists"};
inline constexpr SqsErrorKind kEmptyBatch{"com.amazonaws.sqs#EmptyBatchRequest",
                                          "AWS.SimpleQueueService.EmptyBatchRequest"};
inline constexpr SqsErrorKind kTooManyEntries{
    "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
    "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"};
inline constexpr SqsErrorKind kIdsNotDistinct{"com.amazonaws.sqs#BatchEntryIdsNotDistinct",
                                              "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"};
inline constexpr SqsErrorKind kBatchTooLong{"com.amazonaws.sqs#BatchRequestTooLong",
                                            "AWS.SimpleQueueService.BatchRequestTooLong"};
inline constexpr SqsErrorKind kInvalidEntryId{"com.amazonaws.sqs#InvalidBatchEntryId",
                                              "AWS.SimpleQueueService.InvalidBatchEntryId"};
inline constexpr SqsErrorKind kInvalidAttributeName{"com.amazonaws.sqs#InvalidAttributeName",
                                                    "InvalidAttributeName"};
inline constexpr SqsErrorKind kInvalidAttributeValue{"com.amazonaws.sqs#InvalidAttributeValue",
                                                     "InvalidAttributeValue"};
inline constexpr SqsErrorKind kInvalidContents{"com.amazonaws.sqs#InvalidMessageContents",
                                               "InvalidMessageContents"};
inline constexpr SqsErrorKind kBadReceipt{"com.amazonaws.sqs#ReceiptHandleIsInvalid",
                                          "ReceiptHandleIsInvalid"};
inline constexpr SqsErrorKind kNotInFlight{"com.amazonaws.sqs#MessageNotInflight",
                                           "AWS.SimpleQueueService.MessageNotInflight"};
inline constexpr SqsErrorKind kOverLimit{"com.amazonaws.sqs#OverLimit", "OverLimit", 403};
inline constexpr SqsErrorKind kUnsupported{"com.amazonaws.sqs#UnsupportedOperation",
                                           "AWS.SimpleQueueService.UnsupportedOperation"};
inline constexpr SqsErrorKind kInvalidAddress{"com.amazonaws.sqs#InvalidAddress", "InvalidAddress",
                                              404};
inline constexpr SqsErrorKind kThrottled{"com.amazonaws.sqs#RequestThrottled", "RequestThrottled",
                                         403};
inline constexpr SqsErrorKind kInvalidParameter{
    "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue"};
inline constexpr SqsErrorKind kMissingParameter{
    "com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter"};
inline constexpr SqsErrorKind kUnknownAction{kUnknownOperation, "InvalidAction"};
inline constexpr SqsErrorKind kUnreadable{kSerialization, "MalformedInput"};
inline constexpr SqsErrorKind kUnavailable{kServiceUnavailable, "ServiceUnavailable", 503, false};
}  // namespace sqs_errors

struct SqsError {
  SqsErrorKind kind;
  std::string message;
};

template <typename T>
using SqsResult = Result<T, SqsError>;

SqsError sqs_error(const SqsErrorKind& kind, std::string message);
// "Pawl does not have <what> of SQS…": a part that is left out, by its name.
SqsError sqs_unsupported(std::string_view what);
// Who may not ask: the gate's errors (access_gate.h), under both names.
SqsError sqs_error_of(const ServiceError& error);

HttpResponse sqs_json_error(const SqsError& error);
HttpResponse sqs_query_error(const SqsError& error, std::string_view request_id);

}  // namespace pawl::wire
