// From a request to who answers it, in DESIGN.md's order: X-Amz-Target; a form (SQS's older protocol); S3 by its signature;
// then reserved paths, Lambda's dated ones among them; then S3.
#pragma once

#include <functional>
#include <string>

#include "base/instant.h"
#include "wire/access_gate.h"
#include "wire/dynamodb_service.h"
#include "wire/function_logs.h"
#include "wire/http_message.h"
#include "wire/lambda_service.h"
#include "wire/s3_service.h"
#include "wire/sqs_service.h"
#include "wire/streams_service.h"

namespace pawl::wire {

// What the composition knows about the whole server. Called on I/O threads: must be fast and thread-safe.
struct StatusSource {
  std::function<std::string()> status_json;   // GET /status
  std::function<std::string()> metrics_text;  // GET /metrics, in Prometheus' text format
  std::function<bool()> healthy;              // GET /healthz: 200 or 503
};

class Router : public HttpHandler {
 public:
  // `now` is the wall clock, for the age of signatures. All must outlive the router.
  Router(AccessGate& gate, DynamoDbService& dynamodb, StreamsService& streams, SqsService& sqs,
         S3Service& s3, StatusSource status, std::function<Instant()> now);
  // Before the first request. Both must outlive the router.
  void serve_functions(LambdaService& lambda, FunctionLogs& logs) {
    lambda_ = &lambda;
    logs_ = &logs;
  }

  void handle(const HttpRequest& request, Completion completion) override;
  BodyPlan plan_body(const HttpRequest& request) override;

 private:
  void handle_target(std::string_view target, const HttpRequest& request, Completion completion);
  void handle_sqs_target(std::string_view target, const HttpRequest& request,
                         Completion completion);
  void handle_form(const HttpRequest& request, Completion completion);
  void handle_lambda(const HttpRequest& request, Completion completion);
  void handle_path(const HttpRequest& request, Completion completion);

  AccessGate& gate_;
  DynamoDbService& dynamodb_;
  StreamsService& streams_;
  SqsService& sqs_;
  S3Service& s3_;
  LambdaService* lambda_ = nullptr;
  FunctionLogs* logs_ = nullptr;
  StatusSource status_;
  std::function<Instant()> now_;
};

}  // namespace pawl::wire
