// Where functions run in the server: the pools of all of them, and who asks them.
//
// submit(), invoke(), function_changed(), meters() and stop() may be called from any thread; the rest happens on the executor of run(), to
// which processes and their starter belong, too.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "function/function_catalog.h"
#include "function/function_pool.h"
#include "port/function_host.h"

namespace pawl::function {

// All must outlive the runner.
struct RunnerPorts {
  Clock& clock;
  Random& random;
  ProcessStarter& processes;
  FunctionLog& log;
  const FunctionCatalog& catalog;
  RuntimePlaces places;
  PrepareCode prepare;
};

struct RunnerOptions {
  PoolLimits limits;
  // Over all functions; a little more while some are being replaced. Those that wait for work count; but where there is no room
  // for a call, the one that has waited the longest is ended for it, whosever it is.
  std::size_t processes_max = 64;
  std::size_t calls_max = 1'000;  // under way or waiting, over all functions; more are throttled
};

class FunctionRunner final : public FunctionHost {
 public:
  FunctionRunner(RunnerPorts ports, const RunnerOptions& options);
  ~FunctionRunner() override;

  void submit(FunctionCall call);
  Awaitable<InvocationResult> invoke(Invocation invocation) override;
  // It was changed or deleted: what runs has old code.
  void function_changed(const std::string& name);

  // Thread-safe. Of functions that have been called.
  FunctionMeters& meters() { return meters_; }

  // Where the functions' SDKs find the server. Before run(): until then calls wait.
  void set_endpoint(std::string endpoint) { pool_ports_.places.endpoint = std::move(endpoint); }
  // Until stop(). Once.
  Awaitable<void> run();
  // Kills every process; run() returns when they are gone. Calls that come later are not run.
  void stop();

 private:
  void post(std::function<void()> work);
  void begin(FunctionCall call);
  void begin_held();
  bool make_room();
  void apply_change(const std::string& name);
  std::size_t processes() const;

  RunnerPorts ports_;
  RunnerOptions options_;
  PoolPorts pool_ports_;
  std::unique_ptr<Alarm> alarm_;
  FunctionMeters meters_;

  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by mutex_
  bool ended_ = false;                         // guarded by mutex_

  // Of the executor.
  std::map<std::uint64_t, std::shared_ptr<FunctionPool>> pools_;  // by the function's id
  std::size_t calls_ = 0;
  // Each waits for a process that is being killed to make room, and is then looked at anew.
  std::deque<FunctionCall> held_;
  bool stopping_ = false;
};

}  // namespace pawl::function
