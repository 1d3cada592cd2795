// Lambda's runtime API for one process: HTTP on a loopback port of its own, that it alone is told. Source: Lambda developer guide,
// "Using the Lambda runtime API".
//
//   GET  /2018-06-01/runtime/invocation/next              waits for give(), and answers it
//   POST /2018-06-01/runtime/invocation/ID/response       what the handler returned
//   POST /2018-06-01/runtime/invocation/ID/error          that it failed
//   POST /2018-06-01/runtime/init/error                   that the process can't start
//
// What comes is a user's code: connections, headers and bodies are bounded, and a body that is not JSON is the handler's error.
//
// Everybody on the machine reaches a loopback port, web pages in a browser, too. So a connection is served only if its other end is a
// socket of the process or of its descendants (process_tree.h); requests that name another host than this, or come from a web page
// (Origin, Sec-Fetch-*), are refused.
//
// Who asks for the next invocation while another of the processes has one that is not answered is refused (403). Who asks again
// while it waits takes the place of who waited: a client that gave up its connection loses nothing. An invocation that could not be
// written is kept for who asks again.
#pragma once

#include <sys/types.h>

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

  // The process that is told the address. Nobody is served before.
  virtual void serve_only(::pid_t root) = 0;
  virtual const std::string& address() const = 0;  // "127.0.0.1:PORT": AWS_LAMBDA_RUNTIME_API
  virtual void give(ProcessInvocation invocation) = 0;
  virtual void close() = 0;
};

}  // namespace pawl
