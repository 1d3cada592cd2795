// GET /pawl/functions/NAME/logs[?after=OFFSET][&since=INSTANT]: what a function wrote, for `pawl logs`. Pawl's own; Lambda has its
// logs in another service. The answer: docs/schemas/logs.schema.json.
#pragma once

#include <functional>
#include <string_view>

#include "port/function_log.h"
#include "wire/http_message.h"

namespace pawl::wire {

bool is_function_logs_path(std::string_view target);

// Thread-safe. Both must outlive it.
class FunctionLogs {
 public:
  FunctionLogs(FunctionLogReader& reader, std::function<bool(std::string_view name)> is_function,
               std::function<void(std::function<void()> work)> run_elsewhere)
      : reader_(reader),
        is_function_(std::move(is_function)),
        run_elsewhere_(std::move(run_elsewhere)) {}

  // The caller was admitted.
  void serve(const HttpRequest& request, Completion completion);

 private:
  FunctionLogReader& reader_;
  std::function<bool(std::string_view name)> is_function_;
  std::function<void(std::function<void()> work)> run_elsewhere_;
};

}  // namespace pawl::wire
