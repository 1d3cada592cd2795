#include "wire/lambda_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/base64.h"
#include "function/event_queue.h"
#include "wire/lambda_answer.h"
#include "wire/lambda_error.h"
#include "wire/lambda_input.h"

namespace pawl::wire {
namespace {

constexpr std::string_view kFunctions = "/2015-03-31/functions";
constexpr std::string_view kMappings = "/2015-03-31/event-source-mappings";
constexpr std::size_t kListDefault = 50;
constexpr std::size_t kListMax = 50;
constexpr std::size_t kTraceMax = 512;

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

// The raw value of a parameter of the query; empty if it is not there.
std::string_view query_value(std::string_view target, std::string_view name) {
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return {};
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) == name) return pair.substr(std::min(equals + 1, pair.size()));
  }
  return {};
}

HttpResponse unknown_operation(const HttpRequest& request) {
  return lambda_error_response(
      lambda_error(404, lambda_errors::kUnknownOperation,
                   fmt::format("Pawl does not serve {} {} of Lambda.", request.method,
                               path_of(request.target).substr(0, 200))));
}

// std::function must be copyable, so a completion that waits is shared.
std::shared_ptr<Completion> shared(Completion completion) {
  return std::make_shared<Completion>(std::move(completion));
}

ServiceError not_found(const std::string& name) {
  return lambda_error(404, lambda_errors::kNotFound, "Function not found: " + name);
}

void answer_changed(const Result<function::FunctionPtr>& changed, unsigned status,
                    Completion& completion) {
  if (changed.ok())
    return completion.answer(lambda_response(status, configuration_json(**changed)));
  // Nobody knows whether it is durable: no answer may be given.
  if (changed.error().code == ErrorCode::kUnknown) return completion.close();
  completion.answer(lambda_error_response(lambda_error_of(changed.error())));
}

// With the statuses of the service model.
HttpResponse not_run(const InvocationResult& result) {
  using Obstacle = InvocationResult::Obstacle;
  switch (result.obstacle) {
    case Obstacle::kRuntime:
      return lambda_error_response(lambda_error(502, lambda_errors::kInvalidRuntime, result.why));
    case Obstacle::kCode:
      return lambda_error_response(lambda_error(502, lambda_errors::kInvalidZip, result.why));
    case Obstacle::kServer:
      break;
  }
  return lambda_error_response(lambda_error(500, lambda_errors::kService, result.why));
}

HttpResponse response_of(InvocationResult result, bool wants_log) {
  using Outcome = InvocationResult::Outcome;
  if (result.outcome == Outcome::kThrottled) {
    return lambda_error_response(
        lambda_error(429, lambda_errors::kTooManyRequests, "Rate Exceeded: " + result.why));
  }
  if (result.outcome == Outcome::kNotRun) {
    return not_run(result);
  }
  auto response = lambda_response(200, std::move(result.payload));
  response.headers.emplace_back("X-Amz-Executed-Version", "$LATEST");
  if (result.outcome != Outcome::kReturned) {
    response.headers.emplace_back("X-Amz-Function-Error", "Unhandled");
  }
  if (wants_log) response.headers.emplace_back("X-Amz-Log-Result", to_base64(result.log_tail));
  return response;
}

}  // namespace

bool is_lambda_path(std::string_view target) {
  const std::string_view path = path_of(target);
  if (path.size() < 12 || path[0] != '/' || path[5] != '-' || path[8] != '-' || path[11] != '/') {
    return false;
  }
  for (const std::size_t i : {1U, 2U, 3U, 4U, 6U, 7U, 9U, 10U}) {
    if (path[i] < '0' || path[i] > '9') return false;
  }
  return true;
}

void LambdaService::serve(const HttpRequest& request, const Caller& caller, Completion completion) {
  std::string_view path = path_of(request.target);
  if (mappings_ && path.starts_with(kMappings)) {
    return mappings_(request, caller, std::move(completion));
  }
  if (path.starts_with(kFunctions)) {
    const std::string_view rest = path.substr(kFunctions.size());
    if (rest.empty() || rest == "/") {
      if (request.method == "POST") return create(request, caller, std::move(completion));
      if (request.method == "GET") return list(request, std::move(completion));
    } else if (rest[0] == '/') {
      return serve_function(request, rest.substr(1), std::move(completion));
    }
  }
  // The two operations of later dates that are served.
  for (const std::string_view date : {"/2017-10-31/functions/", "/2019-09-30/functions/"}) {
    if (!path.starts_with(date) || !path.ends_with("/concurrency")) continue;
    const auto name = function_name_of(path.substr(
        date.size(), path.size() - date.size() - std::string_view("/concurrency").size()));
    if (!name.ok()) return completion.answer(lambda_error_response(name.error()));
    return serve_concurrency(*name, request, std::move(completion));
  }
  completion.answer(unknown_operation(request));
}

void LambdaService::serve_function(const HttpRequest& request, std::string_view rest,
                                   Completion completion) {
  const auto slash = std::min(rest.find('/'), rest.size());
  const auto name = function_name_of(rest.substr(0, slash));
  const std::string_view what = rest.substr(slash);
  if (!name.ok()) return completion.answer(lambda_error_response(name.error()));
  const std::string_view qualifier = query_value(request.target, "Qualifier");
  if (!qualifier.empty() && qualifier != "$LATEST" && qualifier != "%24LATEST") {
    return completion.answer(lambda_error_response(
        lambda_unsupported("versions and aliases (a qualifier other than $LATEST)")));
  }
  const std::string_view method = request.method;
  if (what.empty() && method == "GET") return get(*name, false, std::move(completion));
  if (what.empty() && method == "DELETE") return remove(*name, std::move(completion));
  if (what == "/configuration" && method == "GET") return get(*name, true, std::move(completion));
  if (what == "/configuration" && method == "PUT") {
    return update_settings(*name, request, std::move(completion));
  }
  if (what == "/code" && method == "PUT") return update_code(*name, request, std::move(completion));
  if (what == "/invocations" && method == "POST") {
    return invoke(*name, request, std::move(completion));
  }
  completion.answer(unknown_operation(request));
}

void LambdaService::create(const HttpRequest& request, const Caller& caller,
                           Completion completion) {
  auto input = parse_create_function(request.body);
  if (!input.ok()) return completion.answer(lambda_error_response(input.error()));
  auto kept = std::make_shared<CreateFunctionInput>(*std::move(input));
  ports_.run_elsewhere(
      [this, kept, region = caller.region, to = shared(std::move(completion))]() -> void {
        if (ports_.catalog.find(kept->name)) {
          return to->answer(lambda_error_response(lambda_error(
              409, lambda_errors::kConflict, "Function already exist: " + kept->name)));
        }
        const auto checked = ports_.check_code(kept->zip);
        if (!checked.ok())
          return to->answer(lambda_error_response(lambda_error_of(checked.error())));
        function::FunctionRecord function;
        function.name = kept->name;
        function.region = region;
        function.settings = kept->settings;
        answer_changed(ports_.catalog.create(std::move(function), kept->zip), 201, *to);
      });
}

void LambdaService::update_code(const std::string& name, const HttpRequest& request,
                                Completion completion) {
  auto input = parse_update_code(request.body);
  if (!input.ok()) return completion.answer(lambda_error_response(input.error()));
  auto kept = std::make_shared<UpdateCodeInput>(*std::move(input));
  ports_.run_elsewhere([this, kept, name, to = shared(std::move(completion))]() -> void {
    const auto found = ports_.catalog.find(name);
    if (!found) return to->answer(lambda_error_response(not_found(name)));
    const auto checked = ports_.check_code(kept->zip);
    if (!checked.ok()) return to->answer(lambda_error_response(lambda_error_of(checked.error())));
    if (kept->dry_run) return to->answer(lambda_response(200, configuration_json(*found)));
    answer_changed(ports_.catalog.replace_code(name, kept->revision, kept->zip), 200, *to);
  });
}

void LambdaService::update_settings(const std::string& name, const HttpRequest& request,
                                    Completion completion) {
  auto input = parse_update_settings(request.body);
  if (!input.ok()) return completion.answer(lambda_error_response(input.error()));
  ports_.run_elsewhere([this, name, input = *std::move(input), to = shared(std::move(completion))] {
    const auto edit = [&input](function::FunctionSettings& settings) { input.apply(settings); };
    answer_changed(ports_.catalog.change(name, input.revision, edit), 200, *to);
  });
}

void LambdaService::get(const std::string& name, bool configuration_only, Completion completion) {
  const auto found = ports_.catalog.find(name);
  if (!found) return completion.answer(lambda_error_response(not_found(name)));
  if (configuration_only) {
    return completion.answer(lambda_response(200, configuration_json(*found)));
  }
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("Configuration");
  write_configuration(out, *found);
  out.key("Code").begin_object().end_object();
  if (found->settings.concurrency) {
    out.key("Concurrency")
        .begin_object()
        .field("ReservedConcurrentExecutions", std::uint64_t{*found->settings.concurrency})
        .end_object();
  }
  out.end_object();
  completion.answer(lambda_response(200, std::move(body)));
}

void LambdaService::list(const HttpRequest& request, Completion completion) {
  std::size_t limit = kListDefault;
  if (const auto text = query_value(request.target, "MaxItems"); !text.empty()) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc() || stop != text.data() + text.size() || limit == 0 || limit > 10'000) {
      return completion.answer(
          lambda_error_response(invalid_parameter("MaxItems must be a number from 1 to 10000.")));
    }
  }
  std::string after;
  if (const auto marker = query_value(request.target, "Marker"); !marker.empty()) {
    const auto name = function_name_of(marker);
    if (!name.ok()) {
      return completion.answer(
          lambda_error_response(invalid_parameter("The marker is not one that Lambda gave.")));
    }
    after = *name;
  }
  const auto page = ports_.catalog.list(after, std::min(limit, kListMax));
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("Functions").begin_array();
  for (const auto& function : page.functions) write_configuration(out, *function);
  out.end_array();
  if (page.more) out.field("NextMarker", page.functions.back()->name);
  out.end_object();
  completion.answer(lambda_response(200, std::move(body)));
}

void LambdaService::remove(const std::string& name, Completion completion) {
  ports_.run_elsewhere([this, name, to = shared(std::move(completion))]() -> void {
    const auto removed = ports_.catalog.remove(name);
    if (removed.ok()) return to->answer(lambda_response(204, ""));
    if (removed.error().code == ErrorCode::kUnknown) return to->close();
    to->answer(lambda_error_response(lambda_error_of(removed.error())));
  });
}

void LambdaService::serve_concurrency(const std::string& name, const HttpRequest& request,
                                      Completion completion) {
  const auto answer_of = [](const std::optional<std::uint32_t>& most) {
    if (!most) return std::string("{}");
    return fmt::format(R"({{"ReservedConcurrentExecutions":{}}})", *most);
  };
  if (request.method == "GET") {
    const auto found = ports_.catalog.find(name);
    if (!found) return completion.answer(lambda_error_response(not_found(name)));
    return completion.answer(lambda_response(200, answer_of(found->settings.concurrency)));
  }
  std::optional<std::uint32_t> most;
  if (request.method == "PUT") {
    const auto parsed = parse_concurrency(request.body);
    if (!parsed.ok()) return completion.answer(lambda_error_response(parsed.error()));
    most = *parsed;
  } else if (request.method != "DELETE") {
    return completion.answer(unknown_operation(request));
  }
  ports_.run_elsewhere([this, name, most, answer_of, to = shared(std::move(completion))]() -> void {
    const auto changed = ports_.catalog.change(
        name, {}, [most](function::FunctionSettings& settings) { settings.concurrency = most; });
    if (!changed.ok()) return answer_changed(changed, 200, *to);
    to->answer(most ? lambda_response(200, answer_of(most)) : lambda_response(204, ""));
  });
}

void LambdaService::invoke(const std::string& name, const HttpRequest& request,
                           Completion completion) {
  const std::string_view type = request.header("x-amz-invocation-type");
  const bool is_dry_run = type == "DryRun";
  const bool is_event = type == "Event";
  if (!type.empty() && type != "RequestResponse" && !is_dry_run && !is_event) {
    return completion.answer(lambda_error_response(
        invalid_parameter("InvocationType must be RequestResponse, Event or DryRun.")));
  }
  if (request.has_header("x-amz-client-context")) {
    return completion.answer(lambda_error_response(lambda_unsupported("ClientContext of Invoke")));
  }
  const auto function = ports_.catalog.find(name);
  if (!function) return completion.answer(lambda_error_response(not_found(name)));
  const std::size_t most = is_event ? function::kEventBytesMax : FunctionHost::kPayloadMax;
  if (request.body.size() > most) {
    return completion.answer(lambda_error_response(lambda_error(
        413, lambda_errors::kTooLarge,
        fmt::format("Request must be smaller than {} bytes for the InvokeFunction operation",
                    most))));
  }
  if (!request.body.empty()) {
    const auto valid = check_payload(request.body);
    if (!valid.ok()) return completion.answer(lambda_error_response(valid.error()));
  }
  if (is_dry_run) return completion.answer(lambda_response(204, ""));
  function::FunctionCall call;
  call.function = name;
  call.payload = request.body.empty() ? "{}" : std::string(request.body);
  call.trace_id = request.header("x-amzn-trace-id").substr(0, kTraceMax);
  call.request_id = request.id;
  if (is_event) return enqueue(function, std::move(call), std::move(completion));
  call.done = [to = shared(std::move(completion)),
               wants_log = request.header("x-amz-log-type") == "Tail"](InvocationResult result) {
    to->answer(response_of(std::move(result), wants_log));
  };
  ports_.submit(std::move(call));
}

void LambdaService::enqueue(const function::FunctionPtr& function, function::FunctionCall call,
                            Completion completion) {
  auto kept = std::make_shared<function::FunctionCall>(std::move(call));
  ports_.run_enqueue([this, function, kept, to = shared(std::move(completion))]() -> void {
    const auto done =
        ports_.enqueue(function, kept->request_id, kept->trace_id, std::move(kept->payload));
    if (done.ok()) return to->answer(lambda_response(202, ""));
    if (done.error().code == ErrorCode::kUnknown) return to->close();
    if (done.error().code != ErrorCode::kExhausted) {
      return to->answer(lambda_error_response(lambda_error_of(done.error())));
    }
    to->answer(lambda_error_response(
        lambda_error(429, lambda_errors::kTooManyRequests, done.error().to_string())));
  });
}

}  // namespace pawl::wire
