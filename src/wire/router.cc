#include "wire/router.h"

#include "wire/lambda_error.h"
#include "wire/sqs_error.h"

namespace pawl::wire {
namespace {

HttpResponse text_response(unsigned status, std::string_view content_type, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = content_type;
  response.body = std::move(body);
  return response;
}

// As S3 words its errors: whoever asks for such a path speaks S3, or a browser.
HttpResponse s3_error(unsigned status, std::string_view code, std::string_view message,
                      const HttpRequest& request) {
  return s3_error_response({status, code, std::string(message), {}}, request.target, request.id,
                           false);
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

// Pawl's own paths, and Lambda's.
bool is_own_path(const HttpRequest& request) {
  const std::string_view path = path_of(request.target);
  return path == "/healthz" || path == "/status" || path == "/metrics" ||
         is_function_logs_path(path) || is_lambda_path(path);
}

// A form may be signed for SQS or unsigned. One that is signed for S3 is S3's: its content type is the client's affair. Many
// clients say "form" of any body, so a path of somebody else's is that one's.
bool is_sqs(const HttpRequest& request) {
  return request.method == "POST" && is_sqs_form(request) && !is_own_path(request);
}

// The DynamoDB request that forgot its X-Amz-Target.
bool is_without_target(const HttpRequest& request) {
  return path_of(request.target) == "/" && request.method == "POST";
}

// By the scope of its signature; an unsigned or presigned one by not being anything else.
bool is_s3(const HttpRequest& request) {
  if (request.has_header("x-amz-target")) return false;
  const auto scope = presented_scope(request);
  return scope ? scope->service == "s3"
               : !is_own_path(request) && !is_without_target(request) && !is_sqs(request);
}

std::string_view without_namespace(std::string_view type) {
  return type.substr(type.find('#') + 1);
}

}  // namespace

Router::Router(AccessGate& gate, DynamoDbService& dynamodb, StreamsService& streams,
               SqsService& sqs, S3Service& s3, StatusSource status, std::function<Instant()> now)
    : gate_(gate),
      dynamodb_(dynamodb),
      streams_(streams),
      sqs_(sqs),
      s3_(s3),
      status_(std::move(status)),
      now_(std::move(now)) {}

BodyPlan Router::plan_body(const HttpRequest& request) {
  return is_s3(request) ? s3_.plan_body(request) : BodyPlan{};
}

void Router::handle(const HttpRequest& request, Completion completion) {
  if (request.has_header("x-amz-target")) {
    handle_target(request.header("x-amz-target"), request, std::move(completion));
  } else if (is_s3(request)) {
    s3_.serve(request, std::move(completion));
  } else if (is_sqs(request)) {
    handle_form(request, std::move(completion));
  } else if (lambda_ != nullptr && is_lambda_path(request.target)) {
    handle_lambda(request, std::move(completion));
  } else {
    handle_path(request, std::move(completion));
  }
}

void Router::handle_target(std::string_view target, const HttpRequest& request,
                           Completion completion) {
  if (target.starts_with(kSqsTarget)) {
    return handle_sqs_target(target, request, std::move(completion));
  }
  const bool is_dynamodb = target.starts_with(kDynamoDbTarget);
  const bool is_streams = target.starts_with(kStreamsTarget);  // signed as the same service
  const auto caller = gate_.admit(request, is_dynamodb || is_streams ? "dynamodb" : "", now_());
  if (!caller.ok()) return completion.answer(error_response(caller.error()));
  if (request.count_headers("x-amz-target") > 1 || request.method != "POST") {
    return completion.answer(error_response(
        {kUnknownOperation, "An operation is one POST with one X-Amz-Target.", 400, {}}));
  }
  if (is_dynamodb) {
    return dynamodb_.serve(target.substr(kDynamoDbTarget.size()), request, caller.value(),
                           std::move(completion));
  }
  if (is_streams) {
    return streams_.serve(target.substr(kStreamsTarget.size()), request, caller.value(),
                          std::move(completion));
  }
  completion.answer(error_response(
      {kUnknownOperation,
       "Pawl does not serve the target '" + std::string(target.substr(0, 128)) + "'.",
       400,
       {}}));
}

void Router::handle_sqs_target(std::string_view target, const HttpRequest& request,
                               Completion completion) {
  const auto caller = gate_.admit(request, "sqs", now_());
  if (!caller.ok()) return completion.answer(sqs_json_error(sqs_error_of(caller.error())));
  if (request.count_headers("x-amz-target") > 1 || request.method != "POST") {
    return completion.answer(sqs_json_error(
        {sqs_errors::kUnknownAction, "An operation is one POST with one X-Amz-Target."}));
  }
  sqs_.serve_json(target.substr(kSqsTarget.size()), request, caller.value(), std::move(completion));
}

void Router::handle_form(const HttpRequest& request, Completion completion) {
  const auto caller = gate_.admit(request, "sqs", now_(), AccessGate::UnsignedBody::kForm);
  if (!caller.ok()) {
    return completion.answer(sqs_query_error(sqs_error_of(caller.error()), request.id));
  }
  sqs_.serve_form(request, caller.value(), std::move(completion));
}

void Router::handle_lambda(const HttpRequest& request, Completion completion) {
  const auto caller = gate_.admit(request, "lambda", now_());
  if (!caller.ok()) return completion.answer(lambda_error_response(caller.error()));
  // It runs code. Without access keys nobody looks at the signature; but no page of another site, and nobody who merely found an
  // open port with a browser, sends this header.
  if (!request.has_header("authorization")) {
    return completion.answer(
        lambda_error_response({kMissingToken,
                               "Requests to Lambda must be signed in their Authorization header.",
                               403,
                               {}}));
  }
  lambda_->serve(request, caller.value(), std::move(completion));
}

void Router::handle_path(const HttpRequest& request, Completion completion) {
  const std::string_view path = path_of(request.target);
  const bool is_get = request.method == "GET" || request.method == "HEAD";
  // Alone without a signature in every mode: it says one bit, and whoever watches the server has no keys.
  if (path == "/healthz" && is_get && !request.has_header("origin")) {
    const bool healthy = status_.healthy && status_.healthy();
    return completion.answer(text_response(healthy ? 200 : 503, "text/plain; charset=utf-8",
                                           request.method == "HEAD" ? ""
                                           : healthy                ? "ok\n"
                                                                    : "not well\n"));
  }
  const auto caller = gate_.admit(request, "", now_());
  if (!caller.ok()) {
    return completion.answer(
        s3_error(403, without_namespace(caller.error().type), caller.error().message, request));
  }
  if (path == "/status" && is_get && status_.status_json) {
    return completion.answer(text_response(200, "application/json", status_.status_json()));
  }
  if (path == "/metrics" && is_get && status_.metrics_text) {
    return completion.answer(
        text_response(200, "text/plain; version=0.0.4; charset=utf-8", status_.metrics_text()));
  }
  if (logs_ != nullptr && is_function_logs_path(path)) {
    return logs_->serve(request, std::move(completion));
  }
  if (path == "/healthz" || path == "/status" || path == "/metrics") {
    return completion.answer(
        s3_error(405, "MethodNotAllowed", "This path is read with GET.", request));
  }
  if (is_without_target(request)) {
    return completion.answer(
        error_response({kUnknownOperation,
                        "A DynamoDB request names its operation in X-Amz-Target, for example "
                        "DynamoDB_20120810.GetItem.",
                        400,
                        {}}));
  }
  completion.answer(s3_error(400, "InvalidRequest",
                             "The request is signed for a service that is not served on this path; "
                             "DynamoDB, SQS, Lambda and S3 are.",
                             request));
}

}  // namespace pawl::wire
