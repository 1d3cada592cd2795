// The operations on queues themselves.
#include "base/base64.h"
#include "wire/sqs_operations.h"
#include "wire/sqs_queue_attributes.h"

namespace pawl::wire {
namespace {

constexpr std::int64_t kListMax = 1000;

SqsResult<Unit> write_nothing(const queue::Answer&, SqsAnswer&) { return Unit{}; }

auto write_url(const SqsCall& call) {
  return [host = std::string(call.host)](const queue::Answer& answer,
                                         SqsAnswer& out) -> SqsResult<Unit> {
    out.text("QueueUrl", queue_url(host, answer.figures->record.name));
    return Unit{};
  };
}

SqsResult<SqsPlan> plan_on_queue(const SqsCall& call, queue::Action action) {
  SqsPlan plan;
  WIRE_ASSIGN(plan.command.queue, queue_of(call));
  plan.command.action = std::move(action);
  plan.write = write_nothing;
  return plan;
}

SqsResult<std::string> named_queue(const SqsCall& call) {
  WIRE_ASSIGN(const auto name, call.input.text("QueueName"));
  if (name) return check_queue_name(*name);
  return sqs_error(sqs_errors::kMissingParameter,
                   "The request must contain the parameter QueueName.");
}

// Fills in the page, and writes names as URLs under the names that the operation gives them.
SqsResult<SqsPlan> plan_list(const SqsCall& call, queue::List list, std::string_view json_name) {
  WIRE_ASSIGN(const auto most, call.input.integer("MaxResults"));
  if (most && (*most < 1 || *most > kListMax)) {
    return sqs_error(sqs_errors::kInvalidParameter,
                     "Value for parameter MaxResults is invalid. Reason: it must be from 1 to "
                     "1000.");
  }
  WIRE_ASSIGN(const auto token, call.input.text("NextToken"));
  if (token) {
    const auto after = from_base64(*token);
    if (!after || !check_queue_name(*after).ok()) {
      return sqs_error(sqs_errors::kInvalidParameter, "Invalid or expired next token.");
    }
    list.after = *after;
  }
  list.limit = static_cast<std::size_t>(most.value_or(kListMax));
  SqsPlan plan;
  plan.command.action = std::move(list);
  // Without MaxResults the service gives no token, but at most 1,000 queues.
  plan.write = [host = std::string(call.host), json_name, pages = most.has_value()](
                   const queue::Answer& answer, SqsAnswer& out) -> SqsResult<Unit> {
    if (!answer.names.empty()) {
      out.begin_list(json_name, "QueueUrl");
      for (const std::string& name : answer.names) out.list_text(queue_url(host, name));
      out.end_list();
    }
    if (answer.more && pages) out.text("NextToken", to_base64(answer.names.back()));
    return Unit{};
  };
  return plan;
}

}  // namespace

SqsResult<SqsPlan> plan_create_queue(const SqsCall& call) {
  SqsPlan plan;
  WIRE_ASSIGN(plan.command.queue, named_queue(call));
  WIRE_ASSIGN(const auto tags, call.input.map("tags", "Tag", "Key"));
  if (!tags.empty()) return sqs_unsupported("tags");
  queue::Create create;
  WIRE_ASSIGN(create.attributes, parse_queue_attributes(call.input));
  plan.command.action = std::move(create);
  plan.write = write_url(call);
  return plan;
}

SqsResult<SqsPlan> plan_get_queue_url(const SqsCall& call) {
  SqsPlan plan;
  WIRE_ASSIGN(plan.command.queue, named_queue(call));
  WIRE_ASSIGN(const auto owner, call.input.text("QueueOwnerAWSAccountId"));
  if (owner && *owner != kSqsAccount) {
    return sqs_error(sqs_errors::kNoSuchQueue, "The specified queue does not exist.");
  }
  plan.command.action = queue::Describe{};
  plan.write = write_url(call);
  return plan;
}

SqsResult<SqsPlan> plan_list_queues(const SqsCall& call) {
  queue::List list;
  WIRE_ASSIGN(const auto prefix, call.input.text("QueueNamePrefix"));
  list.prefix = prefix.value_or("");
  return plan_list(call, std::move(list), "QueueUrls");
}

SqsResult<SqsPlan> plan_list_sources(const SqsCall& call) {
  WIRE_ASSIGN(std::string name, queue_of(call));
  queue::List list;
  list.sources_of = true;
  WIRE_ASSIGN(SqsPlan plan, plan_list(call, std::move(list), "queueUrls"));
  plan.command.queue = std::move(name);
  return plan;
}

SqsResult<SqsPlan> plan_get_attributes(const SqsCall& call) {
  WIRE_ASSIGN(auto names, parse_queue_attribute_names(call.input));
  WIRE_ASSIGN(SqsPlan plan, plan_on_queue(call, queue::Describe{}));
  plan.write = [names = std::move(names), region = std::string(call.region)](
                   const queue::Answer& answer, SqsAnswer& out) -> SqsResult<Unit> {
    write_queue_attributes(out, *answer.figures, names, region);
    return Unit{};
  };
  return plan;
}

SqsResult<SqsPlan> plan_set_attributes(const SqsCall& call) {
  queue::SetAttributes set;
  WIRE_ASSIGN(set.attributes, parse_queue_attributes(call.input));
  return plan_on_queue(call, std::move(set));
}

SqsResult<SqsPlan> plan_delete_queue(const SqsCall& call) {
  return plan_on_queue(call, queue::Delete{});
}

SqsResult<SqsPlan> plan_purge_queue(const SqsCall& call) {
  return plan_on_queue(call, queue::Purge{});
}

}  // namespace pawl::wire
