// The functions of a server: their store, code, logs and processes, put together for `pawl serve`.
//
// One thread starts, feeds and kills the processes (they die with it). Four others wait for the disk: one changes functions and
// checks their new code, one unpacks code that processes wait for, one keeps asynchronous invocations, one reads logs.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "adapter/code_folders.h"
#include "adapter/function_processes.h"
#include "adapter/log_files.h"
#include "adapter/rocksdb_store.h"
#include "adapter/worker_threads.h"
#include "function/event_queue.h"
#include "function/function_catalog.h"
#include "function/function_runner.h"
#include "server/config.h"
#include "wire/function_logs.h"
#include "wire/lambda_service.h"

namespace pawl::server {

// What functions sign with, where the server demands signatures: a key of this run of the server, written down nowhere.
struct FunctionKey {
  std::string id;
  std::string secret;
  static FunctionKey make();
};

// How a process of this machine reaches a server that listens at `host`: "http://127.0.0.1:8000" of "0.0.0.0".
std::string local_endpoint(const std::string& host, std::uint16_t port);

class Functions {
 public:
  // Clock and random must outlive it. `on_unknown` as in Queues. Errors: as of the adapters, each saying what to do.
  static Result<std::unique_ptr<Functions>> open(
      const std::string& data, const FunctionsConfig& config, ReserveConfig reserve,
      const FunctionKey& key, Clock& clock, Random& random,
      std::function<void(const std::string& why)> on_unknown);
  ~Functions();

  function::FunctionCatalog& catalog() { return *catalog_; }
  // Its invoke() may be called on any executor.
  FunctionHost& host() { return *runner_; }
  wire::LambdaService& lambda() { return *lambda_; }
  wire::FunctionLogs& logs() { return *logs_service_; }

  // From any thread, while it is not being destroyed.
  function::FunctionsFigures figures() const;

  // From then on functions run. Calls that came before have waited.
  void start(const std::string& endpoint);
  // Kills the processes, and joins the threads. Calls under way end, and are told so.
  void stop();

 private:
  Functions() = default;
  Status open_events(Clock& clock, std::function<void(const std::string& why)> on_unknown);
  void make_runner(const FunctionsConfig& config, const FunctionKey& key, Clock& clock,
                   Random& random);
  void make_services();
  void prepare(const function::FunctionPtr& function,
               std::function<void(Result<std::string> folder)> done);
  void on_change(const std::string& name);
  std::set<std::string> needed_code() const;
  Status check_code(const std::string& zip);
  void settle_code();
  Awaitable<void> tidy_code();

  // In the order in which they stand on each other.
  std::unique_ptr<RocksDbStore> store_;
  std::unique_ptr<function::FunctionCatalog> catalog_;
  FileDescriptor folder_;
  std::unique_ptr<CodeFolders> code_;
  std::unique_ptr<LogFiles> log_files_;
  boost::asio::io_context context_{1};
  std::unique_ptr<ChildProcesses> processes_;
  std::unique_ptr<function::FunctionRunner> runner_;
  std::unique_ptr<function::EventQueue> events_;
  std::unique_ptr<wire::LambdaService> lambda_;
  std::unique_ptr<wire::FunctionLogs> logs_service_;
  Clock* clock_ = nullptr;
  std::unique_ptr<Alarm> tidy_alarm_;
  bool ended_ = false;  // of the runner's thread
  std::vector<std::string>
      checked_;  // of changes_: unpacked by the operation under way, which may take it
  WorkerThreads changes_{1};
  WorkerThreads unpacking_{1};
  WorkerThreads keeping_{1};
  WorkerThreads reading_{1};
  std::thread thread_;
};

}  // namespace pawl::server
