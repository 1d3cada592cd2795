// AWS Lambda over HTTP: functions, and their invocation. Shapes and paths: the service model lambda/2015-03-31.
//
// It runs code, so the router lets nobody in without an Authorization header, on loopback neither.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "function/function_catalog.h"
#include "function/function_pool.h"
#include "wire/access_gate.h"
#include "wire/http_message.h"

namespace pawl::wire {

// Whether a path is Lambda's: it begins with a date, as in /2015-03-31/functions. No bucket has such a name.
bool is_lambda_path(std::string_view target);

// All must outlive the service.
struct LambdaPorts {
  function::FunctionCatalog& catalog;
  // Unpacks a zip file, or says what is wrong with it (kInvalid). Waits for the disk.
  std::function<Status(const std::string& zip)> check_code;
  // Runs what may wait for the disk, one after the other.
  std::function<void(std::function<void()> work)> run_elsewhere;
  std::function<void(function::FunctionCall call)> submit;
  // Keeps an asynchronous invocation durably. Called where the disk may be waited for. Errors: as of EventQueue::add.
  std::function<Status(function::FunctionPtr function, std::string request_id, std::string trace_id,
                       std::string payload)>
      enqueue;
  // As run_elsewhere, for enqueue: what unpacks code does not hold it up.
  std::function<void(std::function<void()> work)> run_enqueue;
};

// What serves the paths beneath /2015-03-31/event-source-mappings. The caller was admitted.
using LambdaMappingsHandler =
    std::function<void(const HttpRequest& request, const Caller& caller, Completion completion)>;

// Thread-safe.
class LambdaService {
 public:
  explicit LambdaService(LambdaPorts ports) : ports_(std::move(ports)) {}
  // Before the first request.
  void set_mappings(LambdaMappingsHandler mappings) { mappings_ = std::move(mappings); }

  // A request whose path is Lambda's. The caller was admitted, and has an Authorization header.
  void serve(const HttpRequest& request, const Caller& caller, Completion completion);

 private:
  struct Call;

  void create(const HttpRequest& request, const Caller& caller, Completion completion);
  void list(const HttpRequest& request, Completion completion);
  void serve_function(const HttpRequest& request, std::string_view rest, Completion completion);
  void get(const std::string& name, bool configuration_only, Completion completion);
  void update_code(const std::string& name, const HttpRequest& request, Completion completion);
  void update_settings(const std::string& name, const HttpRequest& request, Completion completion);
  void remove(const std::string& name, Completion completion);
  void serve_concurrency(const std::string& name, const HttpRequest& request,
                         Completion completion);
  void invoke(const std::string& name, const HttpRequest& request, Completion completion);
  void enqueue(const function::FunctionPtr& function, function::FunctionCall call,
               Completion completion);

  LambdaPorts ports_;
  LambdaMappingsHandler mappings_;
};

}  // namespace pawl::wire
