#include "wire/lambda_mapping_input.h"

#include <fmt/format.h>

#include <algorithm>

#include "trigger/filter.h"
#include "wire/dynamodb_members.h"
#include "wire/lambda_error.h"
#include "wire/request_json.h"

namespace pawl::wire {
namespace {

using trigger::MappingChanges;

constexpr std::size_t kNameMax = 64;
constexpr std::string_view kFunction = "function:";
constexpr std::string_view kReportItems = "ReportBatchItemFailures";

// Of other event sources, or not there yet. None of them may be passed over in silence.
constexpr std::string_view kUnsupported[] = {
    "StartingPositionTimestamp",
    "Topics",
    "Queues",
    "SourceAccessConfigurations",
    "SelfManagedEventSource",
    "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "ScalingConfig",
    "KMSKeyArn",
    "MetricsConfig",
    "ProvisionedPollerConfig",
    "LoggingConfig",
    "Tags",
};

ServiceStatus refuse_unsupported(const Members& members) {
  for (const std::string_view name : kUnsupported) {
    if (members.has(name)) return lambda_unsupported(name);
  }
  WIRE_ASSIGN(const auto parallel, members.integer("ParallelizationFactor"));
  if (parallel && *parallel != 1) return lambda_unsupported("a ParallelizationFactor but 1");
  WIRE_ASSIGN(const auto tumbling, members.integer("TumblingWindowInSeconds"));
  if (tumbling && *tumbling != 0) return lambda_unsupported("TumblingWindowInSeconds");
  return Unit{};
}

// Nothing if absent.
ServiceResult<std::optional<std::int64_t>> bounded(const Members& members, std::string_view name,
                                                   std::int64_t least, std::int64_t most) {
  WIRE_ASSIGN(const auto value, members.integer(name));
  if (value && (*value < least || *value > most)) {
    return invalid_parameter(fmt::format(
        "1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: Member "
        "must have value between {} and {}",
        *value, name, least, most));
  }
  return value;
}

ServiceResult<std::optional<std::string>> on_failure(const Members& members) {
  WIRE_ASSIGN(const auto config, members.structure("DestinationConfig"));
  if (!config) return std::optional<std::string>();
  if (config->has("OnSuccess")) return lambda_unsupported("DestinationConfig.OnSuccess");
  WIRE_ASSIGN(const auto failure, config->structure("OnFailure"));
  if (!failure) return std::optional<std::string>("");
  WIRE_ASSIGN(const auto destination, failure->string("Destination"));
  const std::string arn(destination.value_or(""));
  constexpr std::size_t kArnMax = 350;
  if (arn.size() > kArnMax) return invalid_parameter("Destination is longer than 350 bytes");
  const bool is_known = arn.empty() || arn.starts_with("arn:aws:sqs:") ||
                        (arn.starts_with("arn:aws:s3:::") && arn.find('/') == std::string::npos);
  if (is_known) return std::optional(arn);
  if (arn.starts_with("arn:aws:sns:"))
    return lambda_unsupported("a topic as on-failure destination");
  return invalid_parameter("The destination ARN " + arn + " is no queue and no bucket.");
}

ServiceResult<std::optional<std::vector<std::string>>> filters(const Members& members) {
  WIRE_ASSIGN(const auto criteria, members.structure("FilterCriteria"));
  if (!criteria) return std::optional<std::vector<std::string>>();
  std::vector<std::string> patterns;
  WIRE_ASSIGN(const auto list, criteria->list("Filters"));
  if (list) {
    if (list->size() > trigger::kFiltersMax) {
      return invalid_parameter("Only 5 filters are allowed in FilterCriteria.");
    }
    for (const simdjson::dom::element one : *list) {
      WIRE_ASSIGN(const Members filter, Members::of(one));
      WIRE_ASSIGN(const auto pattern, filter.string("Pattern"));
      patterns.emplace_back(pattern.value_or("{}"));
      const auto parsed = trigger::FilterPattern::parse(patterns.back());
      if (!parsed.ok()) return invalid_parameter(parsed.error().message);
    }
  }
  return std::optional(std::move(patterns));
}

ServiceResult<std::optional<bool>> reports_items(const Members& members) {
  WIRE_ASSIGN(const auto list, members.list("FunctionResponseTypes"));
  if (!list) return std::optional<bool>();
  bool reports = false;
  for (const simdjson::dom::element one : *list) {
    std::string_view type;
    if (one.get(type) != simdjson::SUCCESS || type != kReportItems || reports) {
      return invalid_parameter("FunctionResponseTypes may hold ReportBatchItemFailures, once.");
    }
    reports = true;
  }
  return std::optional(reports);
}

ServiceResult<MappingChanges> read_changes(const Members& members) {
  WIRE_TRY(refuse_unsupported(members));
  MappingChanges changes;
  WIRE_ASSIGN(const auto name, members.string("FunctionName"));
  if (name) {
    WIRE_ASSIGN(changes.function, mapping_function_of(*name));
  }
  WIRE_ASSIGN(changes.enabled, members.boolean("Enabled"));
  WIRE_ASSIGN(const auto size,
              bounded(members, "BatchSize", 1, static_cast<std::int64_t>(trigger::kBatchSizeMax)));
  if (size) changes.batch_size = static_cast<std::size_t>(*size);
  WIRE_ASSIGN(const auto window,
              bounded(members, "MaximumBatchingWindowInSeconds", 0, trigger::kWindowMax.count()));
  if (window) changes.window = trigger::seconds(*window);
  WIRE_ASSIGN(const auto retries,
              bounded(members, "MaximumRetryAttempts", -1, trigger::kRetriesMax));
  if (retries) {
    changes.retries_max.emplace();
    if (*retries >= 0) changes.retries_max = static_cast<std::uint32_t>(*retries);
  }
  WIRE_ASSIGN(const auto age,
              bounded(members, "MaximumRecordAgeInSeconds", -1, trigger::kRecordAgeMax.count()));
  if (age) {
    if (*age != -1 && *age < trigger::kRecordAgeMin.count()) {
      return invalid_parameter("MaximumRecordAgeInSeconds must be -1, or 60 to 604800");
    }
    changes.age_max.emplace();
    if (*age >= 0) changes.age_max = trigger::seconds(*age);
  }
  WIRE_ASSIGN(changes.bisect, members.boolean("BisectBatchOnFunctionError"));
  WIRE_ASSIGN(changes.reports_items, reports_items(members));
  WIRE_ASSIGN(changes.filters, filters(members));
  WIRE_ASSIGN(changes.on_failure, on_failure(members));
  return changes;
}

ServiceResult<trigger::StartingPosition> starting_position(const Members& members) {
  WIRE_ASSIGN(const auto position, members.string("StartingPosition"));
  if (!position) {
    return invalid_parameter(
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
        "constraint: Member must not be null.");
  }
  if (*position == "TRIM_HORIZON") return trigger::StartingPosition::kTrimHorizon;
  if (*position == "LATEST") return trigger::StartingPosition::kLatest;
  if (*position == "AT_TIMESTAMP") {
    return invalid_parameter("Unsupported starting position for DynamoDB streams: AT_TIMESTAMP");
  }
  return invalid_parameter("StartingPosition must be TRIM_HORIZON or LATEST.");
}

template <typename Parse>
auto with_members(std::string_view body, const Parse& parse)
    -> decltype(parse(std::declval<const Members&>())) {
  thread_local RequestJson parser;
  WIRE_ASSIGN(const auto root, parser.parse(body));
  WIRE_ASSIGN(const Members members, Members::of(root));
  auto parsed = parse(members);
  parser.give_back(body.size());
  return parsed;
}

}  // namespace

ServiceResult<std::string> mapping_function_of(std::string_view text) {
  const auto at = text.rfind(kFunction);
  std::string_view name = at == std::string_view::npos ? text : text.substr(at + kFunction.size());
  const auto colon = name.find(':');
  if (colon != std::string_view::npos) {
    if (name.substr(colon + 1) != "$LATEST") return lambda_unsupported("versions and aliases");
    name = name.substr(0, colon);
  }
  const bool fits =
      !name.empty() && name.size() <= kNameMax && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
      });
  if (!fits) {
    return invalid_parameter("FunctionName '" + std::string(text.substr(0, kNameMax)) +
                             "' names no function.");
  }
  return std::string(name);
}

ServiceResult<CreateMappingInput> parse_create_mapping(std::string_view body) {
  const auto parse = [](const Members& members) -> ServiceResult<CreateMappingInput> {
    WIRE_ASSIGN(const MappingChanges changes, read_changes(members));
    if (!changes.function) return invalid_parameter("FunctionName must not be null.");
    CreateMappingInput input;
    WIRE_ASSIGN(const auto arn, members.string("EventSourceArn"));
    if (!arn) return invalid_parameter("EventSourceArn must not be null.");
    input.source_arn = std::string(*arn);
    WIRE_ASSIGN(input.config.start, starting_position(members));
    input.config = trigger::changed(std::move(input.config), changes);
    return input;
  };
  return with_members(body, parse);
}

ServiceResult<MappingChanges> parse_update_mapping(std::string_view body) {
  return with_members(body, read_changes);
}

}  // namespace pawl::wire
