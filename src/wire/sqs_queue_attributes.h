// Names, addresses and attributes of queues, as SQS words them.
#pragma once

#include <string>
#include <string_view>

#include "queue/command.h"
#include "wire/sqs_answer.h"
#include "wire/sqs_value.h"

namespace pawl::wire {

// The one account that there is.
inline constexpr std::string_view kSqsAccount = "000000000000";

std::string queue_arn(std::string_view region, std::string_view name);
// "http://HOST/000000000000/NAME"; `host` is the client's own Host header.
std::string queue_url(std::string_view host, std::string_view name);
// The name in a queue's URL (or in its path alone). Errors: InvalidAddress.
SqsResult<std::string> queue_name_of_url(std::string_view url);
// A name for a new queue: 1 to 80 letters, digits, hyphens and underscores. Errors: InvalidParameterValue; a name that ends
// with .fifo is UnsupportedOperation.
SqsResult<std::string> check_queue_name(std::string_view name);

// Of CreateQueue and SetQueueAttributes. Errors: InvalidAttributeName, InvalidAttributeValue; UnsupportedOperation, naming
// it, for what is of FIFO queues, encryption and permissions.
SqsResult<queue::AttributeChanges> parse_queue_attributes(const SqsInput& input);

// Of GetQueueAttributes. Errors: InvalidAttributeName.
SqsResult<std::vector<std::string>> parse_queue_attribute_names(const SqsInput& input);
void write_queue_attributes(SqsAnswer& answer, const queue::QueueFigures& figures,
                            const std::vector<std::string>& names, std::string_view region);

}  // namespace pawl::wire
