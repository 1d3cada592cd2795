#include "wire/dynamodb_answer.h"

#include <algorithm>
#include <charconv>

#include "base/json_writer.h"
#include "item/dynamodb_json.h"

namespace pawl::wire {
namespace {

using table::Refusal;

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_units(std::string& out, HalfUnits units) {
  append_number(out, units / 2);
  out.append(units % 2 == 0 ? ".0" : ".5");
}

std::string_view reason_code(Refusal refusal) {
  switch (refusal) {
    case Refusal::kConditionFailed:
      return "ConditionalCheckFailed";
    case Refusal::kInvalid:
      return "ValidationError";
    default:
      return "InternalError";
  }
}

// The message lists the codes, as the service's does: clients of old SDKs parse it.
ServiceError transaction_cancelled(const table::Failure& failure) {
  std::string codes;
  std::string reasons;
  for (const table::CancellationReason& reason : failure.reasons) {
    const std::string_view code = reason.refusal ? reason_code(*reason.refusal) : "None";
    if (!codes.empty()) codes.append(", ");
    codes.append(code);
    if (!reasons.empty()) reasons.push_back(',');
    reasons.append("{\"Code\":\"").append(code).push_back('"');
    if (reason.refusal) {
      reasons.append(",\"Message\":");
      append_json_string(reasons,
                         *reason.refusal == Refusal::kConditionFailed && reason.message.empty()
                             ? "The conditional request failed"
                             : std::string_view(reason.message));
    }
    if (reason.item) {
      reasons.append(",\"Item\":");
      item::append_item_json(reasons, *reason.item);
    }
    reasons.push_back('}');
  }
  return {kTransactionCanceled,
          "Transaction cancelled, please refer cancellation reasons for specific reasons [" +
              codes + "]",
          400, ",\"CancellationReasons\":[" + reasons + "]"};
}

std::string message_or(const table::Failure& failure, std::string_view otherwise) {
  return failure.message.empty() ? std::string(otherwise) : failure.message;
}

}  // namespace

std::string arn_of(std::string_view region, std::string_view table) {
  return "arn:aws:dynamodb:" + std::string(region) + ":000000000000:table/" + std::string(table);
}

void append_seconds(std::string& out, Instant instant) {
  const std::int64_t milliseconds = instant.microseconds / 1000;
  std::string fraction = std::to_string(1000 + milliseconds % 1000);
  fraction[0] = '.';
  out.append(std::to_string(milliseconds / 1000)).append(fraction);
}

void append_key_schema(std::string& out, const item::KeySchema& schema) {
  JsonWriter json(out);
  json.begin_array();
  json.begin_object()
      .field("AttributeName", schema.partition.name)
      .field("KeyType", "HASH")
      .end_object();
  if (schema.sort) {
    json.begin_object()
        .field("AttributeName", schema.sort->name)
        .field("KeyType", "RANGE")
        .end_object();
  }
  json.end_array();
}

std::string& AnswerObject::member(std::string_view name) {
  if (out_.size() > 1) out_.push_back(',');
  out_.push_back('"');
  out_.append(name).append("\":");
  return out_;
}

void AnswerObject::item(std::string_view name, const item::Item& item) {
  item::append_item_json(member(name), item);
}

void AnswerObject::number(std::string_view name, std::uint64_t value) {
  append_number(member(name), value);
}

HalfUnits read_units(std::size_t bytes, bool consistent) {
  const HalfUnits blocks = std::max<HalfUnits>(1, (bytes + 4095) / 4096);
  return consistent ? 2 * blocks : blocks;
}

HalfUnits write_units(std::size_t bytes_before, std::size_t bytes_after) {
  return 2 * std::max<HalfUnits>(1, (std::max(bytes_before, bytes_after) + 1023) / 1024);
}

void append_capacity(std::string& out, std::string_view table, HalfUnits units,
                     CapacityDetail detail, UnitKind kind) {
  const auto append_all = [&] {
    out.append("\"CapacityUnits\":");
    append_units(out, units);
    if (kind == UnitKind::kUnsaid) return;
    out.append(kind == UnitKind::kRead ? ",\"ReadCapacityUnits\":" : ",\"WriteCapacityUnits\":");
    append_units(out, units);
  };
  out.append("{\"TableName\":\"").append(table).append("\",");  // a table's name needs no escapes
  append_all();
  if (detail == CapacityDetail::kIndexes) {
    out.append(",\"Table\":{");
    append_all();
    out.push_back('}');
  }
  out.push_back('}');
}

ServiceError service_error_of(const table::Failure& failure) {
  switch (failure.refusal) {
    case Refusal::kInvalid:
      return validation(failure.message);
    case Refusal::kConditionFailed: {
      ServiceError error{
          kConditionalCheckFailed, message_or(failure, "The conditional request failed"), 400, {}};
      if (failure.item) {
        error.members = ",\"Item\":";
        item::append_item_json(error.members, *failure.item);
      }
      return error;
    }
    case Refusal::kNoSuchTable:
      return {kResourceNotFound, message_or(failure, "Requested resource not found"), 400, {}};
    case Refusal::kTableExists:
      return {kResourceInUse, message_or(failure, "Table already exists"), 400, {}};
    case Refusal::kTableProtected:
      return validation(
          message_or(failure,
                     "Resource cannot be deleted as it is currently protected against deletion. "
                     "Disable deletion protection first."));
    case Refusal::kTooManyTables:
      return {kLimitExceeded,
              message_or(failure, "Subscriber limit exceeded: too many tables"),
              400,
              {}};
    case Refusal::kTransactionCancelled:
      return transaction_cancelled(failure);
    case Refusal::kTokenMismatch:
      return {kIdempotentMismatch,
              "The ClientRequestToken was used before with other parameters; give each transaction "
              "its own",
              400,
              {}};
    case Refusal::kRepeatMismatch:
      return validation(
          "The amz-sdk-invocation-id was used before with another request, so this is no retry of "
          "it; give each "
          "request its own");
    case Refusal::kNoRoom:
      return {kInternalServerError,
              message_or(failure,
                         "The disk is almost full: writes are refused until there is room again; "
                         "nothing that was acknowledged is lost"),
              500,
              {}};
    case Refusal::kNeedsAdopt:
      return {kInternalServerError,
              message_or(failure,
                         "The data directory and the ledger disagree: writes are refused until "
                         "`pawl adopt` has been run"),
              500,
              {}};
    case Refusal::kStopping:
      return {
          kServiceUnavailable, message_or(failure, "The server is stopping; try again"), 503, {}};
    case Refusal::kBusy:
      return {kThrottling, message_or(failure, "Too many writes are waiting; try again"), 400, {}};
    case Refusal::kStorage:
    case Refusal::kUnknown:  // never rendered: the connection closes instead
      break;
  }
  return {kInternalServerError,
          message_or(failure, "The store failed; the write was not done"),
          500,
          {}};
}

std::string render_failure(const table::Failure& failure) {
  const ServiceError error = service_error_of(failure);
  return std::to_string(error.status) + error_body(error);
}

HttpResponse response_of_rendered(std::string rendered) {
  HttpResponse response;
  response.content_type = kAmzJson;
  if (!rendered.empty() && rendered[0] != '{') {
    std::from_chars(rendered.data(), rendered.data() + 3, response.status);
    rendered.erase(0, 3);
  }
  response.body = std::move(rendered);
  return response;
}

}  // namespace pawl::wire
