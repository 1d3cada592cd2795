#include "wire/sqs_queue_attributes.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace pawl::wire {
namespace {

constexpr std::size_t kQueueNameMax = 80;
constexpr std::size_t kPolicyMax = 4096;

SqsError invalid_value(std::string_view name) {
  return sqs_error(sqs_errors::kInvalidAttributeValue,
                   "Invalid value for the parameter " + std::string(name) + ".");
}

bool is_queue_name(std::string_view name) {
  return !name.empty() && name.size() <= kQueueNameMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

SqsResult<std::int64_t> bounded(std::string_view name, std::string_view text, std::int64_t least,
                                std::int64_t most) {
  const auto number = number_of(text);
  if (!number || *number < least || *number > most) return invalid_value(name);
  return *number;
}

// "arn:aws:sqs:REGION:000000000000:NAME"
std::optional<std::string> queue_name_of_arn(std::string_view arn) {
  std::array<std::string_view, 6> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t end = i + 1 < parts.size() ? arn.find(':') : arn.size();
    if (end == std::string_view::npos) return std::nullopt;
    parts[i] = arn.substr(0, end);
    arn.remove_prefix(std::min(end + 1, arn.size()));
  }
  const bool good = parts[0] == "arn" && parts[1].starts_with("aws") && parts[2] == "sqs" &&
                    parts[4] == kSqsAccount && is_queue_name(parts[5]);
  if (!good) return std::nullopt;
  return std::string(parts[5]);
}

SqsResult<std::optional<queue::RedrivePolicy>> parse_redrive(std::string_view text) {
  if (text.empty()) return std::optional<queue::RedrivePolicy>();
  const auto invalid = [](std::string_view why) {
    return sqs_error(sqs_errors::kInvalidParameter,
                     "Value for parameter RedrivePolicy is invalid. Reason: " + std::string(why));
  };
  if (text.size() > kPolicyMax) return invalid("it is too long.");
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) {
    return invalid("it is no JSON object.");
  }
  std::string_view arn;
  if (object["deadLetterTargetArn"].get(arn) != simdjson::SUCCESS) {
    return invalid("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
  }
  const auto target = queue_name_of_arn(arn);
  if (!target) return invalid("deadLetterTargetArn names no queue of this server.");
  std::int64_t count = 0;
  std::string_view count_text;
  if (object["maxReceiveCount"].get(count_text) == simdjson::SUCCESS) {
    count = number_of(count_text).value_or(0);
  } else if (object["maxReceiveCount"].get(count) != simdjson::SUCCESS) {
    return invalid("Redrive policy does not contain mandatory attribute: maxReceiveCount.");
  }
  if (count < 1 || count > queue::kReceivesMax) {
    return invalid("Invalid value for maxReceiveCount: " + std::to_string(count) +
                   ", valid values are from 1 to 1000 both inclusive.");
  }
  return std::optional(queue::RedrivePolicy{*target, static_cast<std::uint32_t>(count)});
}

// Attributes of parts that are left out; a value that asks for nothing is taken.
SqsResult<bool> is_left_out(std::string_view name, std::string_view value) {
  struct LeftOut {
    std::string_view name;
    std::string_view harmless;
    std::string_view what;
  };
  constexpr LeftOut kLeftOut[] = {
      {"Policy", "", "permissions (Policy)"},
      {"RedriveAllowPolicy", "", "permissions of dead letter queues (RedriveAllowPolicy)"},
      {"SqsManagedSseEnabled", "false", "encryption (SqsManagedSseEnabled)"},
      {"KmsMasterKeyId", "", "encryption (KmsMasterKeyId)"},
      {"KmsDataKeyReusePeriodSeconds", "300", "encryption (KmsDataKeyReusePeriodSeconds)"},
      {"FifoQueue", "false", "FIFO queues (FifoQueue)"},
      {"ContentBasedDeduplication", "false", "FIFO queues (ContentBasedDeduplication)"},
      {"DeduplicationScope", "", "FIFO queues (DeduplicationScope)"},
      {"FifoThroughputLimit", "", "FIFO queues (FifoThroughputLimit)"},
  };
  for (const LeftOut& one : kLeftOut) {
    if (one.name != name) continue;
    if (value == one.harmless) return true;
    return sqs_unsupported(one.what);
  }
  return false;
}

constexpr std::string_view kAttributeNames[] = {
    "All",
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "QueueArn",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "SqsManagedSseEnabled",
    // Asked for, and never there:
    "Policy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
};

std::string redrive_text(const queue::RedrivePolicy& policy, std::string_view region) {
  return "{\"deadLetterTargetArn\":\"" + queue_arn(region, policy.target) +
         "\",\"maxReceiveCount\":" + std::to_string(policy.receives_max) + "}";
}

bool is_wanted(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& one) { return one == "All" || one == name; });
}

std::string seconds_text(Instant at) { return std::to_string(at.microseconds / 1'000'000); }

}  // namespace

std::string queue_arn(std::string_view region, std::string_view name) {
  return "arn:aws:sqs:" + std::string(region) + ":" + std::string(kSqsAccount) + ":" +
         std::string(name);
}

std::string queue_url(std::string_view host, std::string_view name) {
  return "http://" + std::string(host) + "/" + std::string(kSqsAccount) + "/" + std::string(name);
}

SqsResult<std::string> queue_name_of_url(std::string_view url) {
  const std::string_view given = url.substr(0, 200);
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
    url.remove_prefix(std::min(url.find('/'), url.size()));
  }
  if (url.starts_with('/')) url.remove_prefix(1);
  if (url.starts_with(kSqsAccount) && url.substr(kSqsAccount.size()).starts_with('/')) {
    url.remove_prefix(kSqsAccount.size() + 1);
    if (is_queue_name(url)) return std::string(url);
  }
  return sqs_error(sqs_errors::kInvalidAddress,
                   "The address " + std::string(given) +
                       " is not valid for this endpoint: a queue's URL is http://HOST/" +
                       std::string(kSqsAccount) + "/NAME.");
}

SqsResult<std::string> check_queue_name(std::string_view name) {
  if (name.ends_with(".fifo")) return sqs_unsupported("FIFO queues (a name that ends with .fifo)");
  if (is_queue_name(name)) return std::string(name);
  return sqs_error(sqs_errors::kInvalidParameter,
                   "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in "
                   "length");
}

SqsResult<queue::AttributeChanges> parse_queue_attributes(const SqsInput& input) {
  WIRE_ASSIGN(const auto entries, input.map("Attributes", "Attribute"));
  queue::AttributeChanges changes;
  for (const auto& [name, value] : entries) {
    WIRE_ASSIGN(const std::string_view text, value.as_text());
    WIRE_ASSIGN(const bool left_out, is_left_out(name, text));
    if (left_out) continue;
    if (name == "VisibilityTimeout") {
      WIRE_ASSIGN(const auto number, bounded(name, text, 0, queue::kVisibilityMax.count()));
      changes.visibility = queue::seconds(number);
    } else if (name == "MessageRetentionPeriod") {
      WIRE_ASSIGN(const auto number,
                  bounded(name, text, queue::kRetentionMin.count(), queue::kRetentionMax.count()));
      changes.retention = queue::seconds(number);
    } else if (name == "DelaySeconds") {
      WIRE_ASSIGN(const auto number, bounded(name, text, 0, queue::kDelayMax.count()));
      changes.delay = queue::seconds(number);
    } else if (name == "ReceiveMessageWaitTimeSeconds") {
      WIRE_ASSIGN(const auto number, bounded(name, text, 0, queue::kWaitMax.count()));
      changes.receive_wait = queue::seconds(number);
    } else if (name == "MaximumMessageSize") {
      WIRE_ASSIGN(const auto number,
                  bounded(name, text, queue::kMessageBytesMin, queue::kMessageBytesMax));
      changes.message_bytes_max = static_cast<std::uint32_t>(number);
    } else if (name == "RedrivePolicy") {
      WIRE_ASSIGN(changes.redrive, parse_redrive(text));
    } else {
      return sqs_error(sqs_errors::kInvalidAttributeName,
                       "Unknown Attribute " + name.substr(0, 100) + ".");
    }
  }
  return changes;
}

SqsResult<std::vector<std::string>> parse_queue_attribute_names(const SqsInput& input) {
  WIRE_ASSIGN(auto names, input.texts("AttributeNames", "AttributeName"));
  for (const std::string& name : names) {
    if (std::find(std::begin(kAttributeNames), std::end(kAttributeNames), name) ==
        std::end(kAttributeNames)) {
      return sqs_error(sqs_errors::kInvalidAttributeName,
                       "Unknown Attribute " + name.substr(0, 100) + ".");
    }
  }
  return names;
}

void write_queue_attributes(SqsAnswer& answer, const queue::QueueFigures& figures,
                            const std::vector<std::string>& names, std::string_view region) {
  const queue::QueueAttributes& of = figures.record.attributes;
  const std::pair<std::string_view, std::string> known[] = {
      {"QueueArn", queue_arn(region, figures.record.name)},
      {"ApproximateNumberOfMessages", std::to_string(figures.visible)},
      {"ApproximateNumberOfMessagesNotVisible", std::to_string(figures.in_flight)},
      {"ApproximateNumberOfMessagesDelayed", std::to_string(figures.delayed)},
      {"CreatedTimestamp", seconds_text(figures.record.created)},
      {"LastModifiedTimestamp", seconds_text(figures.record.modified)},
      {"VisibilityTimeout", std::to_string(of.visibility.count())},
      {"MaximumMessageSize", std::to_string(of.message_bytes_max)},
      {"MessageRetentionPeriod", std::to_string(of.retention.count())},
      {"DelaySeconds", std::to_string(of.delay.count())},
      {"ReceiveMessageWaitTimeSeconds", std::to_string(of.receive_wait.count())},
      {"RedrivePolicy", of.redrive ? redrive_text(*of.redrive, region) : ""},
      {"SqsManagedSseEnabled", "false"},
  };
  bool begun = false;
  for (const auto& [name, value] : known) {
    const bool wanted = is_wanted(names, name);
    if (!wanted || value.empty()) continue;
    if (!begun) answer.begin_map("Attributes", "Attribute");
    begun = true;
    answer.map_text(name, value);
  }
  if (begun) answer.end_map();
}

}  // namespace pawl::wire
