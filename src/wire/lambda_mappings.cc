#include "wire/lambda_mappings.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <memory>

#include "base/json_writer.h"
#include "wire/dynamodb_answer.h"
#include "wire/lambda_error.h"
#include "wire/lambda_mapping_input.h"
#include "wire/stream_names.h"

namespace pawl::wire {
namespace {

using trigger::MappingConfig;
using trigger::MappingId;
using trigger::MappingStatus;

constexpr std::size_t kListDefault = 100;
constexpr std::size_t kListMax = 10'000;

ServiceError mapping_not_found() {
  return lambda_error(404, lambda_errors::kNotFound, "The resource you requested does not exist.");
}

ServiceError error_of(const trigger::MappingFailure& failure) {
  switch (failure.refusal) {
    case trigger::MappingRefusal::kNotFound:
      return lambda_error(404, lambda_errors::kNotFound, failure.message);
    case trigger::MappingRefusal::kExists:
      return lambda_error(409, lambda_errors::kConflict, failure.message);
    case trigger::MappingRefusal::kInUse:
      return lambda_error(400, "ResourceInUseException", failure.message);
    case trigger::MappingRefusal::kTooMany:
      return lambda_error(429, lambda_errors::kTooManyRequests, failure.message);
    case trigger::MappingRefusal::kNotDone:
      return lambda_error(500, lambda_errors::kService, failure.message);
  }
  return lambda_error(500, lambda_errors::kService, failure.message);
}

std::string seconds_text(Instant at) {
  constexpr std::int64_t kMillisecond = 1000;
  const std::int64_t milliseconds = at.microseconds / kMillisecond;
  return fmt::format("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
}

void append_mapping(JsonWriter& json, const MappingStatus& status,
                    std::optional<std::string_view> state = std::nullopt) {
  const trigger::MappingRecord& record = status.record;
  const MappingConfig& config = record.config;
  const bool from_latest = config.start == trigger::StartingPosition::kLatest;
  json.begin_object()
      .field("UUID", trigger::id_text(record.id))
      .field("StartingPosition", from_latest ? "LATEST" : "TRIM_HORIZON")
      .field("BatchSize", std::uint64_t{config.batch_size})
      .field("MaximumBatchingWindowInSeconds", static_cast<std::uint64_t>(config.window.count()))
      .field("ParallelizationFactor", std::uint64_t{1})
      .field("EventSourceArn", record.source.arn)
      .field("FunctionArn", fmt::format("arn:aws:lambda:{}:000000000000:function:{}",
                                        record.source.region(), config.function))
      .key("LastModified")
      .raw(seconds_text(record.modified))
      .field("LastProcessingResult", status.last_result)
      .field("State", state.value_or(trigger::name_of(status.state)))
      .field("StateTransitionReason", "User action");
  json.key("DestinationConfig").begin_object();
  if (!config.on_failure.empty()) {
    json.key("OnFailure").begin_object().field("Destination", config.on_failure).end_object();
  }
  json.end_object();
  if (!config.filters.empty()) {
    json.key("FilterCriteria").begin_object().key("Filters").begin_array();
    for (const std::string& pattern : config.filters) {
      json.begin_object().field("Pattern", pattern).end_object();
    }
    json.end_array().end_object();
  }
  json.key("MaximumRecordAgeInSeconds")
      .number_signed(config.age_max ? config.age_max->count() : -1);
  json.field("BisectBatchOnFunctionError", config.bisect);
  json.key("MaximumRetryAttempts")
      .number_signed(config.retries_max ? std::int64_t{*config.retries_max} : -1);
  json.field("TumblingWindowInSeconds", std::uint64_t{0});
  json.key("FunctionResponseTypes").begin_array();
  if (config.reports_items) json.string("ReportBatchItemFailures");
  json.end_array().end_object();
}

std::string body_of(const MappingStatus& status,
                    std::optional<std::string_view> state = std::nullopt) {
  std::string body;
  JsonWriter json(body);
  append_mapping(json, status, state);
  return body;
}

// Answers once the mapping is durable, with the state that its change goes through.
trigger::MappingDone answer_with(Completion completion, std::optional<std::string_view> state) {
  // std::function must be copyable, so the completion, which is not, is shared.
  const auto shared = std::make_shared<Completion>(std::move(completion));
  return [shared, state](const trigger::MappingAnswer& answer) {
    shared->answer(answer.ok() ? lambda_response(202, body_of(*answer, state))
                               : lambda_error_response(error_of(answer.error())));
  };
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

ServiceResult<std::string> decode_component(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return invalid_parameter("The query is not percent-encoded.");
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

using Query = std::map<std::string, std::string>;
ServiceResult<Query> parse_query(std::string_view query) {
  Query parsed;
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    WIRE_ASSIGN(std::string name, decode_component(pair.substr(0, equals)));
    WIRE_ASSIGN(std::string value, decode_component(pair.substr(equals + 1)));
    parsed[std::move(name)] = std::move(value);
  }
  return parsed;
}

ServiceResult<std::size_t> list_size(const Query& query) {
  const auto found = query.find("MaxItems");
  if (found == query.end()) return kListDefault;
  std::size_t size = 0;
  const char* const end = found->second.data() + found->second.size();
  const auto [stop, error] = std::from_chars(found->second.data(), end, size);
  if (error != std::errc() || stop != end || size == 0 || size > kListMax) {
    return invalid_parameter("MaxItems must be 1 to 10000");
  }
  return std::min(size, kListDefault);
}

}  // namespace

bool is_mappings_target(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  return path == kMappingsPath ||
         (path.starts_with(kMappingsPath) && path[kMappingsPath.size()] == '/');
}

LambdaMappings::LambdaMappings(trigger::MappingDesk& desk, const table::StreamReader& streams,
                               std::function<bool(std::string_view name)> function_exists)
    : desk_(desk), streams_(streams), function_exists_(std::move(function_exists)) {}

void LambdaMappings::serve(const HttpRequest& request, const Caller& caller,
                           Completion completion) {
  static_cast<void>(caller);  // regions are those of the streams
  const auto question = request.target.find('?');
  std::string_view path = request.target.substr(0, question);
  const std::string_view query =
      question == std::string_view::npos ? "" : request.target.substr(question + 1);
  path.remove_prefix(kMappingsPath.size());
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  if (path.empty()) {
    if (request.method == "POST") return create(request, std::move(completion));
    if (request.method == "GET") {
      const auto body = list(query);
      return completion.answer(body.ok() ? lambda_response(200, *body)
                                         : lambda_error_response(body.error()));
    }
  } else {
    const auto id = trigger::parse_id(path);
    if (!id) return completion.answer(lambda_error_response(mapping_not_found()));
    if (request.method == "GET") {
      const auto status = desk_.find(*id);
      return completion.answer(status ? lambda_response(200, body_of(*status))
                                      : lambda_error_response(mapping_not_found()));
    }
    if (request.method == "PUT") return update(*id, request, std::move(completion));
    if (request.method == "DELETE") {
      return desk_.remove(*id, answer_with(std::move(completion), "Deleting"));
    }
  }
  completion.answer(lambda_error_response(
      lambda_error(405, lambda_errors::kUnknownOperation,
                   "Event source mappings have no " + std::string(request.method.substr(0, 16)) +
                       " on this path.")));
}

void LambdaMappings::create(const HttpRequest& request, Completion completion) {
  const auto refuse = [&completion](const ServiceError& error) {
    completion.answer(lambda_error_response(error));
  };
  auto input = parse_create_mapping(request.body);
  if (!input.ok()) return refuse(input.error());
  const auto name = parse_stream_arn(input->source_arn);
  if (!name) {
    return refuse(
        invalid_parameter("EventSourceArn " + input->source_arn.substr(0, 256) +
                          " is no ARN of a DynamoDB stream; Pawl reads no other source."));
  }
  const auto stream = streams_.find(name->table, name->label);
  if (!stream) return refuse(invalid_parameter("Stream not found: " + input->source_arn));
  if (!function_exists_(input->config.function)) {
    return refuse(lambda_error(404, lambda_errors::kNotFound,
                               "Function not found: " + input->config.function));
  }
  trigger::MappingSource source;
  source.arn = std::move(input->source_arn);
  source.table = stream->table_name();
  source.view = kStreamViews[static_cast<std::size_t>(stream->facts->view)];
  source.incarnation = stream->table->record.incarnation;
  source.label = stream->facts->label;
  source.shards = stream->shards();
  desk_.create(std::move(input->config), std::move(source),
               answer_with(std::move(completion), "Creating"));
}

void LambdaMappings::update(const MappingId& id, const HttpRequest& request,
                            Completion completion) {
  auto changes = parse_update_mapping(request.body);
  if (!changes.ok()) return completion.answer(lambda_error_response(changes.error()));
  if (changes->function && !function_exists_(*changes->function)) {
    return completion.answer(lambda_error_response(
        lambda_error(404, lambda_errors::kNotFound, "Function not found: " + *changes->function)));
  }
  desk_.update(id, std::move(changes).value(), answer_with(std::move(completion), std::nullopt));
}

ServiceResult<std::string> LambdaMappings::list(std::string_view query) const {
  WIRE_ASSIGN(Query asked, parse_query(query));
  WIRE_ASSIGN(const std::size_t size, list_size(asked));
  std::optional<MappingId> after;
  if (asked.contains("Marker")) {
    after = trigger::parse_id(asked["Marker"]);
    if (!after) return invalid_parameter("Marker is not what an earlier list gave.");
  }
  std::string function;
  if (asked.contains("FunctionName")) {
    WIRE_ASSIGN(function, mapping_function_of(asked["FunctionName"]));
  }
  const std::string& arn = asked["EventSourceArn"];
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("EventSourceMappings").begin_array();
  std::size_t count = 0;
  std::optional<MappingId> last;
  bool more = false;
  for (const MappingStatus& status : desk_.list()) {
    const trigger::MappingRecord& record = status.record;
    if (after && record.id <= *after) continue;
    if (!function.empty() && record.config.function != function) continue;
    if (!arn.empty() && record.source.arn != arn) continue;
    if (count == size) {
      more = true;
      break;
    }
    append_mapping(json, status);
    last = record.id;
    ++count;
  }
  json.end_array();
  if (more) json.field("NextMarker", trigger::id_text(*last));
  json.end_object();
  return body;
}

}  // namespace pawl::wire
