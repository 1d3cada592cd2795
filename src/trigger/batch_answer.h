// What a function's answer says of its batch.
//
// Without ReportBatchItemFailures a return is a success, whatever it says. With it, as the service reads it: nothing, null, {},
// no, null or an empty `batchItemFailures` are success; a list of them names records by their sequence numbers, and the lowest
// is where the function is called again from. Anything else fails the whole batch: an empty or missing identifier, one that is
// not of this batch, an answer of another shape.
// Source: AWS Lambda developer guide, "Configuring partial batch response with DynamoDB and Lambda".
#pragma once

#include <functional>
#include <string_view>

#include "trigger/shard_step.h"

namespace pawl::trigger {

inline constexpr std::size_t kAnswerBytesMax = 6 * 1024 * 1024;

// `payload`: what the function returned; `is_of_batch` tells whether a sequence number is one of the batch's.
Invoked read_batch_answer(std::string_view payload, bool reports_items,
                          const std::function<bool(SequenceNumber)>& is_of_batch);

}  // namespace pawl::trigger
