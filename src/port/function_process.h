// Processes that run a function's code, and speak to it as the runtime API of AWS Lambda says.
//
// Where it stands: the shell of a function's processes (function/function_runner.h) starts, feeds and kills them through this;
// the adapter has real ones (adapter/function_processes.h), tests have scripted ones.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pawl {

struct ProcessSpec {
  std::vector<std::string> command;  // what is run and its arguments; an absolute path first
  // All of it, but for AWS_LAMBDA_RUNTIME_API, which whoever starts the process adds.
  std::vector<std::pair<std::string, std::string>> environment;
  std::string folder;                  // where it starts
  std::uint64_t memory_bytes_max = 0;  // resident, over it and its children: beyond, it is killed
};

// One call of the handler, as the process gets it.
struct ProcessInvocation {
  std::string request_id;
  std::string payload;  // JSON
  std::string trace_id;
  std::string function_arn;
  std::int64_t deadline_ms = 0;  // since 1970
};

enum class OutputStream : std::uint8_t { kStdout, kStderr };

struct ProcessEnd {
  bool by_signal = false;
  int number = 0;              // the signal, or the exit status
  bool out_of_memory = false;  // it was killed for that
};

// What a process does. Called on the executor of whoever starts processes, one call at a time, never from within a call of
// FunctionProcess, except on_line from drain_output().
class ProcessListener {
 public:
  virtual ~ProcessListener() = default;
  virtual void on_ready() = 0;  // it asks for its next invocation
  // It has answered the invocation that it was given: the handler's result (valid JSON), or the document of its error.
  virtual void on_response(std::string payload) = 0;
  virtual void on_error(std::string document) = 0;
  // It says that it can't start; the document says why.
  virtual void on_start_error(std::string document) = 0;
  virtual void on_line(OutputStream stream, std::string_view text) = 0;
  // It is gone, and so is its process group. The last call.
  virtual void on_exit(const ProcessEnd& end) = 0;
};

// Destroyed alive, it is killed, and the listener not called again.
class FunctionProcess {
 public:
  virtual ~FunctionProcess() = default;
  // The answer to its on_ready().
  virtual void give(ProcessInvocation invocation) = 0;
  // Kills its whole group; on_exit() follows.
  virtual void kill() = 0;
  // Brings what it has written until now to on_line(), the last line even without its end.
  virtual void drain_output() = 0;
  virtual std::uint64_t memory_peak_bytes() const = 0;
};

class ProcessStarter {
 public:
  virtual ~ProcessStarter() = default;
  // The listener must outlive the process. Errors: kNotFound or kUnavailable: it can't be started, and why.
  virtual Result<std::unique_ptr<FunctionProcess>> start(const ProcessSpec& spec,
                                                         ProcessListener& listener) = 0;
};

}  // namespace pawl
