// The older form of SQS requests: application/x-www-form-urlencoded pairs, whose names are paths into structures
// ("SendMessageBatchRequestEntry.2.MessageAttribute.1.Value.StringValue=…").
#pragma once

#include <string_view>

#include "wire/sqs_value.h"

namespace pawl::wire {

// Bounded by kSqsValuesMax pairs, kSqsDepthMax names a path and kSqsNameMax bytes a path, each looked at before anything is
// built of it. Errors (MalformedInput): beyond these, a bad percent sign, bytes that are not UTF-8, a name that is both a
// value and a structure, or that comes twice.
inline constexpr std::size_t kSqsNameMax = 256;
SqsResult<SqsValue> parse_sqs_form(std::string_view body);

}  // namespace pawl::wire
