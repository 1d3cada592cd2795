// Where functions run: processes of this machine in the server, a model in the drill.
//
// Where it stands: the trigger stage has a batch of changes and calls a function with it; wire's Invoke does the same with what
// a client sent. How the function is started, kept warm, fed and killed is the host's affair.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "port/clock.h"

namespace pawl {

// Views must stay valid until the invocation has returned.
struct Invocation {
  std::string_view function;  // its name
  std::string_view payload;   // one JSON document of at most kPayloadMax bytes
  std::string_view trace_id;  // handed on as Lambda-Runtime-Trace-Id; may be empty
  // Called when the function is handed the payload, before it can have done anything with it: once, or never where it is not. From
  // any thread; must not block. May be empty.
  std::function<void()> begun = {};
};

struct InvocationResult {
  enum class Outcome : std::uint8_t {
    kReturned,  // the handler returned; `payload` is what it returned
    // The handler threw; `payload` is the error's document. Also a process that ended or hung before it asked for work (a failed
    // import, say): what its code did at its start has happened.
    kFailed,
    kTimedOut,   // it was killed at its time-out: whatever it did before has happened
    kExited,     // its process ended in the middle: likewise
    kThrottled,  // not begun: all its processes are at work; not counted as an attempt
    kNotRun,     // not begun: no such function, or it can't be started; `why` says it
  };
  // Of kNotRun: who must mend it.
  enum class Obstacle : std::uint8_t {
    kServer,   // the server, or time: it may be tried again
    kRuntime,  // who runs the server: this machine has no interpreter for it
    kCode,     // whose function it is: what it is started by can't be run
  };
  Outcome outcome = Outcome::kNotRun;
  Obstacle obstacle = Obstacle::kServer;
  std::string
      payload;  // JSON, at most FunctionHost::kPayloadMax bytes; empty where the handler gave none
  std::string request_id;  // the invocation's, as its log lines carry it; empty if it was not begun
  std::string why;         // for people, where the outcome is not kReturned
  std::string log_tail;    // the last lines that it wrote, at most 4 KiB (LogType=Tail of Invoke)
};

// Thread use: from the executor that the implementation was made for; any number of invocations at once.
// After a crash: an invocation that had begun may have done all, some or nothing of its work, and its process is gone.
class FunctionHost {
 public:
  // Request and response of a synchronous invocation. Source: Lambda developer guide, "Lambda quotas": 6 MB.
  static constexpr std::size_t kPayloadMax = 6 * 1024 * 1024;

  virtual ~FunctionHost() = default;

  // Runs the function once. Never fails: what can go wrong is an outcome.
  virtual Awaitable<InvocationResult> invoke(Invocation invocation) = 0;
};

}  // namespace pawl
