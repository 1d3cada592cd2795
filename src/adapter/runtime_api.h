// Lambda's runtime API for one process: HTTP on a loopback port of its own, that it alone is told. Source: Lambda developer guide,
// "Using the Lambda runtime API".
//
//   GET  /2018-06-01/runtime/invocation/next              waits for give(), and answers it
//   POST /2018-06-01/runtime/invocation/ID/response       what the handler returned
//   POST /2018-06-01/runtime/invocation/ID/error          that it failed
//   POST /2018-06-01/runtime/init/error                   that the process can't start
//
// What comes is a user's code: connections, headers and bodies are bounded, and a body that is not JSON is the handler's error.
// Requests that name another host than this, or a web page's origin, are refused: pages can reach loopback, too.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "port/function_process.h"

namespace pawl {

// Of the executor's one thread.
class RuntimeApi {
 public:
  // Calls on_ready, on_response, on_error and on_start_error of the listener until close().
  // Errors: kUnavailable: no port is to be had.
  static Result<std::unique_ptr<RuntimeApi>> listen(const boost::asio::any_io_executor& executor,
                                                    ProcessListener& listener);
  // close().
  virtual ~RuntimeApi() = default;

  virtual const std::string& address() const = 0;  // "127.0.0.1:PORT": AWS_LAMBDA_RUNTIME_API
  virtual void give(ProcessInvocation invocation) = 0;
  virtual void close() = 0;
};

}  // namespace pawl
