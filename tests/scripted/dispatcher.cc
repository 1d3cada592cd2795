#include "dispatcher.h"

#include <fmt/format.h>

#include <cstdlib>

#include "digests.h"
#include "text.h"

namespace scripted {
namespace {

constexpr std::string_view kControlPath = "/_control/";
constexpr std::string_view kDynamoDbTarget = "DynamoDB_20120810.";
constexpr std::string_view kStreamsTarget = "DynamoDBStreams_20120810.";
constexpr std::int64_t kSkewMaxMs = 15 * 60 * 1000;  // SigV4: a request is good for 15 minutes

std::string_view access_key_of(std::string_view authorization) {
  constexpr std::string_view kCredential = "Credential=";
  const std::size_t at = authorization.find(kCredential);
  if (at == std::string_view::npos) return "";
  authorization.remove_prefix(at + kCredential.size());
  return authorization.substr(0, authorization.find('/'));
}

}  // namespace

void Dispatcher::recognise(Ticket& ticket, const Request& request) {
  if (request.path.starts_with(kControlPath)) {
    ticket.service = Service::kControl;
    ticket.operation = request.path.substr(kControlPath.size());
  } else if (request.target.starts_with(kStreamsTarget)) {
    ticket.service = Service::kStreams;
    ticket.operation = request.target.substr(kStreamsTarget.size());
  } else if (request.target.starts_with(kDynamoDbTarget)) {
    ticket.service = Service::kDynamoDb;
    ticket.operation = request.target.substr(kDynamoDbTarget.size());
  } else {
    ticket.service = Service::kS3;
    ticket.operation = "Unknown";
    ticket.s3 = locate_s3(request);
    ticket.operation = ticket.s3.operation;
  }
}

// Signatures are not checked: only that the request says who it is from, and when.
void Dispatcher::check_signature(const Ticket& ticket, const Request& request) const {
  const bool s3 = ticket.service == Service::kS3;
  if (request.authorization.empty() && !ticket.s3.query.contains("X-Amz-Signature"))
    throw s3 ? Refusal{403, "AccessDenied", "Access Denied", {}}
             : Refusal{400,
                       "MissingAuthenticationTokenException",
                       "Request is missing Authentication Token",
                       {}};
  if (!world_->settings.refuse_skewed) return;
  const auto signed_ms = parse_amz_date(request.amz_date);
  if (signed_ms && std::llabs(*signed_ms - world_->clock.date_ms()) <= kSkewMaxMs) return;
  throw s3 ? Refusal{403,
                     "RequestTimeTooSkewed",
                     "The difference between the request time and the current time is too large.",
                     {}}
           : Refusal{400, "InvalidSignatureException", "Signature expired or not yet current", {}};
}

std::string Dispatcher::name_of(const Ticket& ticket, const Request& request) const {
  if (ticket.service == Service::kS3) return ticket.s3.key;
  const Json body = parse_json(request.body);
  if (ticket.service == Service::kStreams) return world_->streams.name_of(ticket.operation, body);
  return DynamoDb::name_of(ticket.operation, body);
}

Dispatcher::Ticket Dispatcher::begin(const Request& request) {
  Ticket ticket;
  try {
    recognise(ticket, request);
  } catch (const Refusal& refusal) {
    ticket.refusal = refusal;
  }
  if (ticket.operation == "PutObject") {
    ticket.sha256 = sha256(request.body);
    ticket.md5 = md5(request.body);
  }
  if (ticket.service == Service::kControl) return ticket;
  const std::lock_guard lock(world_->mutex);
  world_->counters.begin(ticket.operation);
  if (ticket.refusal) return ticket;
  try {
    check_signature(ticket, request);
    if (!world_->faults.empty())
      ticket.effects = world_->faults.draw(
          {ticket.operation, name_of(ticket, request), access_key_of(request.authorization)});
  } catch (const Refusal& refusal) {
    ticket.refusal = refusal;
  }
  ticket.effects.delay_ms += world_->settings.latency_ms;
  if (ticket.operation == "PutObject") {
    const bool conditional = !request.if_none_match.empty() || !request.if_match.empty();
    // FACTS: "409 on a conflicting write in flight".
    ticket.conflict =
        world_->s3.arrive(ticket.s3, conditional) && !ticket.effects.ignore_conditions;
    ticket.arrived = true;
  }
  return ticket;
}

// What a rule answers in the service's own words.
Refusal Dispatcher::fault_of(const Ticket& ticket) {
  const Effects& effects = ticket.effects;
  constexpr std::string_view kMessage = "as a fault rule says";
  const auto refusal = [&](int status, std::string_view usual) {
    return Refusal{status,
                   effects.code.empty() ? std::string(usual) : effects.code,
                   std::string(kMessage),
                   {}};
  };
  if (ticket.service == Service::kS3) {
    if (effects.throttled || effects.status == 503) return refusal(503, "SlowDown");
    if (effects.status == 409) return refusal(409, "ConditionalRequestConflict");
    return refusal(effects.status, "InternalError");
  }
  if (effects.throttled)
    return refusal(400, ticket.service == Service::kStreams
                            ? "LimitExceededException"
                            : "ProvisionedThroughputExceededException");
  if (effects.status == 503) return refusal(503, "ServiceUnavailable");
  return refusal(effects.status, "InternalServerError");
}

Reply Dispatcher::run(const Ticket& ticket, const Request& request) {
  if (ticket.service == Service::kS3) {
    if (ticket.conflict)
      throw Refusal{
          409, "ConditionalRequestConflict", "another write of this object is in flight", {}};
    return world_->s3.run(ticket.s3, request, ticket.effects, ticket.sha256, ticket.md5);
  }
  const Json body = parse_json(request.body);
  Reply reply;
  reply.content_type = "application/x-amz-json-1.0";
  reply.body = ticket.service == Service::kStreams
                   ? world_->streams.run(ticket.operation, body)
                   : world_->dynamodb.run(ticket.operation, body, ticket.effects);
  return reply;
}

Reply Dispatcher::error_of(const Ticket& ticket, const Request& request, const Refusal& refusal) {
  if (ticket.service == Service::kS3) return s3_error(refusal, request.path);
  Reply reply;
  reply.status = refusal.status;
  const bool control = ticket.service == Service::kControl;
  reply.content_type = control ? "application/json" : "application/x-amz-json-1.0";
  // Developer guide, "Error handling with DynamoDB": __type and message.
  reply.body = fmt::format(R"({{"__type":"{}{}","message":{}{}}})",
                           control ? "" : "com.amazonaws.dynamodb.v20120810#", refusal.code,
                           json_string(refusal.message), refusal.more_json);
  return reply;
}

Reply Dispatcher::finish(const Ticket& ticket, const Request& request) {
  const std::lock_guard lock(world_->mutex);
  const Outcome outcome = ticket.effects.outcome;
  Reply reply;
  try {
    if (ticket.service == Service::kControl)
      return control_.run(request.method, ticket.operation, request);
    if (outcome == Outcome::kNotApplied &&
        (ticket.effects.status != 409 || ticket.service == Service::kS3))
      throw fault_of(ticket);
    if (ticket.refusal)
      reply = error_of(ticket, request, *ticket.refusal);
    else if (outcome != Outcome::kDropBefore)
      reply = run(ticket, request);
    if (outcome == Outcome::kAppliedError) throw fault_of(ticket);
  } catch (const Refusal& refusal) {
    reply = error_of(ticket, request, refusal);
  }
  reply.drop = outcome == Outcome::kDropBefore || outcome == Outcome::kDropAfter;
  if (ticket.arrived) world_->s3.leave(ticket.s3);
  if (ticket.service != Service::kControl)
    world_->counters.end(ticket.operation, reply.drop ? 0 : reply.status);
  reply.headers += "Date: " + http_date(world_->clock.date_ms()) + "\r\n";
  return reply;
}

}  // namespace scripted
