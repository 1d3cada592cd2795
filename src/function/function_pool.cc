#include "function/function_pool.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "function/invocation_text.h"

namespace pawl::function {
namespace {

using Outcome = InvocationResult::Outcome;

constexpr std::size_t kLogTailMax = 4 * 1024;
constexpr std::size_t kStartErrorMax = 64 * 1024;
constexpr std::string_view kPlatform = "platform";
constexpr std::uint64_t kMebi = 1024 * 1024;

PoolLimits limits_of(const FunctionRecord& function, PoolLimits limits) {
  limits.timeout = function.settings.timeout;
  if (function.settings.concurrency) limits.workers_max = *function.settings.concurrency;
  return limits;
}

// Whether what could not be started is a file of the function's, which is not there or can't be run as it is.
bool is_own_program(const FunctionRecord& function, const Error& error) {
  if (runtime_family(function.settings.runtime) != RuntimeFamily::kProvided) return false;
  for (const int number : {ENOENT, EACCES, ENOEXEC, EISDIR, ELIBBAD}) {
    if (error.message.ends_with(": " + std::generic_category().message(number))) return true;
  }
  return false;
}

std::string log_stream_of(Instant now, Random& random) {
  const std::string day = now.to_string();  // 2026-11-22T…
  const std::uint64_t high = random.next();
  return fmt::format("{}/{}/{}/[$LATEST]{:016x}{:016x}", day.substr(0, 4), day.substr(5, 2),
                     day.substr(8, 2), high, random.next());
}

}  // namespace

struct FunctionPool::Call {
  FunctionCall asked;
  std::string request_id;  // set when it is given
  MonotonicInstant began;
  std::string log_tail;
  bool room = true;  // when it came
};

// What is known about one process. It may not run yet, or not any more.
class FunctionPool::Process final : public ProcessListener {
 public:
  Process(FunctionPool& pool, WorkerId worker, FunctionPtr of)
      : function(std::move(of)), pool_(pool), worker_(worker) {
    started = pool.ports_.clock.monotonic();
    log_stream = log_stream_of(pool.ports_.clock.now(), pool.ports_.random);
  }

  void on_ready() override {
    if (!std::exchange(was_ready_, true)) started_in = pool_.ports_.clock.monotonic() - started;
    pool_.happen({PoolEvent::Kind::kReady, worker_});
  }
  void on_response(std::string payload) override { answered(std::move(payload), false); }
  void on_error(std::string document) override { answered(std::move(document), true); }
  void on_start_error(std::string document) override {
    if (document.size() <= kStartErrorMax) start_error = std::move(document);
  }
  void on_line(OutputStream stream, std::string_view text) override {
    write(stream == OutputStream::kStdout ? "stdout" : "stderr", text);
  }
  void on_exit(const ProcessEnd& how) override {
    exit = how;
    pool_.happen({PoolEvent::Kind::kExited, worker_});
  }

  void write(std::string_view stream, std::string_view text) {
    pool_.ports_.log.write(function->name,
                           {pool_.ports_.clock.now(), std::string(stream),
                            call ? call->request_id : std::string(), std::string(text)});
    if (call == nullptr) return;
    call->log_tail.append(text).push_back('\n');
    if (call->log_tail.size() > 2 * kLogTailMax) {
      call->log_tail.erase(0, call->log_tail.size() - kLogTailMax);
    }
  }

  FunctionPtr function;
  std::string log_stream;
  std::unique_ptr<FunctionProcess> process;
  MonotonicInstant started;
  Duration started_in{};  // until it is told, with the first call
  Call* call = nullptr;
  std::string answer;
  bool answer_is_error = false;
  std::string start_error;
  std::optional<ProcessEnd> exit;
  std::optional<Error> not_started;
  InvocationResult::Obstacle obstacle = InvocationResult::Obstacle::kServer;

 private:
  void answered(std::string payload, bool is_error) {
    answer = std::move(payload);
    answer_is_error = is_error;
    pool_.happen({PoolEvent::Kind::kAnswered, worker_});
  }

  FunctionPool& pool_;
  WorkerId worker_;
  bool was_ready_ = false;
};

FunctionPool::FunctionPool(FunctionPtr function, const PoolPorts& ports,
                           std::shared_ptr<FunctionMeter> meter)
    : function_(std::move(function)),
      ports_(ports),
      meter_(std::move(meter)),
      limits_(limits_of(*function_, ports.limits)) {}

FunctionPool::~FunctionPool() = default;

FunctionPool::Process* FunctionPool::find(WorkerId worker) {
  const auto found = processes_.find(worker);
  return found == processes_.end() ? nullptr : found->second.get();
}

void FunctionPool::call(FunctionCall call, bool room) {
  const CallId id = ++newest_call_;
  auto kept = std::make_unique<Call>();
  kept->asked = std::move(call);
  kept->room = room;
  calls_.emplace(id, std::move(kept));
  PoolEvent event{PoolEvent::Kind::kCalled};
  event.call = id;
  event.room = room;
  happen(event);
}

void FunctionPool::replaced(FunctionPtr function) {
  function_ = std::move(function);
  limits_ = limits_of(*function_, ports_.limits);
  happen({PoolEvent::Kind::kReplaced});
}

// What is done may make something happen at once (a start that fails): that waits for its turn.
void FunctionPool::happen(const PoolEvent& event) {
  events_.push_back(event);
  if (std::exchange(carrying_out_, true)) return;
  while (!events_.empty()) {
    const PoolEvent next = events_.front();
    events_.pop_front();
    const MonotonicInstant now = ports_.clock.monotonic();
    for (const PoolEffect& effect : step(state_, limits_, next, now)) carry_out(effect);
    next_tick_ = function::next_tick(state_, now);
    if (next.kind == PoolEvent::Kind::kExited) processes_.erase(next.worker);
  }
  carrying_out_ = false;
  measure();
  ports_.changed();
}

void FunctionPool::measure() {
  using State = Worker::State;
  ProcessFigures now;
  for (const Worker& worker : state_.workers) {
    if (worker.call) ++now.calls;
    switch (worker.state) {
      case State::kPreparing:
      case State::kStarting:
        ++now.starting;
        break;
      case State::kIdle:
        ++now.idle;
        break;
      case State::kBusy:
      case State::kFinishing:
        ++now.busy;
        break;
      case State::kDying:
        ++now.ending;
        break;
    }
  }
  now.waiting = state_.waiting.size();
  meter_->processes(now);
}

void FunctionPool::carry_out(const PoolEffect& effect) {
  switch (effect.kind) {
    case PoolEffect::Kind::kStart:
      return start(effect.worker);
    case PoolEffect::Kind::kGive:
      return give(effect.worker, effect.call);
    case PoolEffect::Kind::kKill:
      return kill(effect.worker);
    case PoolEffect::Kind::kEnd:
      return end(effect);
  }
}

void FunctionPool::start(WorkerId worker) {
  processes_.emplace(worker, std::make_unique<Process>(*this, worker, function_));
  ports_.prepare(function_, [weak = weak_from_this(), later = ports_.later,
                             worker](Result<std::string> folder) {
    later([weak, worker, folder = std::move(folder)] {
      if (const auto pool = weak.lock()) pool->prepared(worker, folder);
    });
  });
}

void FunctionPool::prepared(WorkerId worker, const Result<std::string>& folder) {
  Process* const process = find(worker);
  if (process == nullptr) return;  // killed meanwhile
  using Obstacle = InvocationResult::Obstacle;
  const auto start = [&]() -> Status {
    if (!folder.ok()) return folder.error();
    const FunctionRecord& function = *process->function;
    ProcessSpec spec;
    process->obstacle = Obstacle::kRuntime;
    PAWL_ASSIGN_OR_RETURN(spec.command, command_of(function, *folder, ports_.places));
    spec.environment = environment_of(function, *folder, process->log_stream, ports_.places);
    spec.folder = *folder;
    spec.memory_bytes_max = function.settings.memory_mb * kMebi;
    process->started = ports_.clock.monotonic();
    process->obstacle = Obstacle::kServer;
    auto started = ports_.processes.start(spec, *process);
    if (!started.ok()) {
      if (!is_own_program(function, started.error())) return started.error();
      process->obstacle = Obstacle::kCode;
      return Error{started.error().code, started.error().message,
                   "its zip file must have an executable file `bootstrap` at its top"};
    }
    process->process = *std::move(started);
    return ok();
  };
  const auto done = start();
  if (done.ok()) return happen({PoolEvent::Kind::kRunning, worker});
  process->not_started = done.error();
  process->write(kPlatform, "Could not start: " + done.error().to_string());
  happen({PoolEvent::Kind::kExited, worker});
}

void FunctionPool::give(WorkerId worker, CallId id) {
  Process& process = *find(worker);
  Call& call = *calls_.at(id);
  call.request_id = call.asked.request_id.empty() ? new_request_id(ports_.random)
                                                  : std::move(call.asked.request_id);
  call.began = ports_.clock.monotonic();
  process.call = &call;
  process.write(kPlatform, start_line(call.request_id));
  ProcessInvocation invocation;
  invocation.request_id = call.request_id;
  invocation.payload = std::move(call.asked.payload);
  invocation.trace_id = call.asked.trace_id.empty()
                            ? new_trace_id(ports_.random, ports_.clock.now())
                            : std::move(call.asked.trace_id);
  invocation.function_arn = process.function->arn();
  invocation.deadline_ms = (ports_.clock.now().microseconds + limits_.timeout.count()) / 1000;
  if (call.asked.begun) call.asked.begun();
  process.process->give(std::move(invocation));
}

void FunctionPool::kill(WorkerId worker) {
  Process* const process = find(worker);
  if (process != nullptr && process->process) return process->process->kill();
  happen({PoolEvent::Kind::kExited, worker});
}

void FunctionPool::tell_end(Call& call, Process& process, Duration took,
                            const std::string& last_line) {
  if (process.process) process.process->drain_output();
  if (!last_line.empty()) process.write(kPlatform, last_line);
  process.write(kPlatform, end_line(call.request_id));
  Report report;
  report.took = took;
  report.memory_mb = process.function->settings.memory_mb;
  if (process.process) report.memory_peak_bytes = process.process->memory_peak_bytes();
  report.started_in = std::exchange(process.started_in, Duration{});
  process.write(kPlatform, report_line(call.request_id, report));
  process.call = nullptr;
}

void FunctionPool::tell_failed_start(InvocationResult& result, Process& process,
                                     bool timed_out) const {
  if (process.not_started) {
    result.outcome = Outcome::kNotRun;
    result.obstacle = process.obstacle;
    result.why = process.not_started->to_string();
    return;
  }
  if (!process.process) {
    const auto most = std::chrono::floor<std::chrono::seconds>(limits_.prepare_max);
    result.outcome = Outcome::kNotRun;
    result.why = fmt::format("its code was not ready within {} s", most.count());
    process.write(kPlatform, "Could not start: " + result.why);
    return;
  }
  // It ran, and what the code does at its start it may have done: an attempt, as a handler that throws is.
  result.outcome = Outcome::kFailed;
  if (timed_out) {
    const auto most = std::chrono::floor<std::chrono::seconds>(limits_.start_max);
    result.why = fmt::format("it did not start within {} s", most.count());
  } else {
    result.why = "it ended at its start: " + (process.exit ? text_of(*process.exit) : "unknown");
  }
  result.payload = process.start_error;
  if (result.payload.empty()) {
    result.payload = error_document(timed_out ? "Sandbox.Timedout" : "Runtime.ExitError",
                                    "Error: " + result.why);
  }
  process.write(kPlatform, "INIT_REPORT Error: " + result.why);
}

void FunctionPool::end(const PoolEffect& effect) {
  const auto found = calls_.find(effect.call);
  const std::unique_ptr<Call> call = std::move(found->second);
  calls_.erase(found);
  Process* const process = find(effect.worker);
  const bool begun = process != nullptr && process->call == call.get();
  InvocationResult result;
  result.request_id = call->request_id;
  std::string last_line;
  switch (effect.end) {
    case CallEnd::kAnswered:
      result.outcome = process->answer_is_error ? Outcome::kFailed : Outcome::kReturned;
      if (process->answer_is_error) result.why = "the handler failed";
      result.payload = std::move(process->answer);
      break;
    case CallEnd::kTimedOut: {
      result.outcome = Outcome::kTimedOut;
      result.why = fmt::format("Task timed out after {}.00 seconds",
                               process->function->settings.timeout.count());
      last_line =
          fmt::format("{} {} {}", ports_.clock.now().to_string(), call->request_id, result.why);
      result.payload = error_document(
          "Sandbox.Timedout", fmt::format("RequestId: {} Error: {}", call->request_id, result.why));
      break;
    }
    case CallEnd::kExited: {
      result.outcome = Outcome::kExited;
      result.why = "Runtime exited with error: " +
                   (process->exit ? text_of(*process->exit) : std::string("it asked twice"));
      last_line = fmt::format("RequestId: {} Error: {}", call->request_id, result.why);
      result.payload = error_document("Runtime.ExitError", last_line);
      break;
    }
    case CallEnd::kStartFailed:
    case CallEnd::kStartTimedOut:
      tell_failed_start(result, *process, effect.end == CallEnd::kStartTimedOut);
      break;
    case CallEnd::kThrottled:
      result.outcome = Outcome::kThrottled;
      result.why = limits_.workers_max == 0 ? "its reserved concurrency is 0"
                   : call->room             ? "all its processes are at work"
                                            : "there is no room for another process of functions";
      break;
    case CallEnd::kClosed:
      result.outcome = begun ? Outcome::kExited : Outcome::kNotRun;
      result.why = "the function was deleted, or the server stops";
      last_line = begun ? "Stopped with the server" : "";
      break;
  }
  std::optional<Duration> took;
  if (begun) {
    took = ports_.clock.monotonic() - call->began;
    tell_end(*call, *process, *took, last_line);
  }
  if (call->log_tail.size() > kLogTailMax) {
    call->log_tail.erase(0, call->log_tail.size() - kLogTailMax);
  }
  result.log_tail = std::move(call->log_tail);
  meter_->ended(result, took, ports_.clock.now());
  call->asked.done(std::move(result));
}

}  // namespace pawl::function
