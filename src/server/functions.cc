#include "server/functions.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <future>
#include <set>
#include <utility>

#include "adapter/system_random.h"
#include "observe/log.h"

namespace pawl::server {
namespace {

constexpr Duration kTidyInterval = std::chrono::minutes(1);
constexpr std::chrono::seconds kReapMax{2};
constexpr std::string_view kStandardPath = "/usr/local/bin:/usr/bin:/bin";

RocksDbSettings settings_of_functions() {
  RocksDbSettings settings;
  settings.cache_bytes_max = 4ULL << 20;
  settings.memtable_bytes_max = 32ULL << 20;
  settings.wal_bytes_max = 64ULL << 20;
  settings.open_files_max = 64;
  return settings;
}

std::string own_path() {
  const char* const path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return path == nullptr ? "" : path;
}

std::string find_program(std::string_view name, std::string_view path) {
  while (!path.empty()) {
    const auto end = std::min(path.find(':'), path.size());
    const std::string_view folder = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (!folder.starts_with('/')) continue;
    std::string program = fmt::format("{}/{}", folder, name);
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

std::string code_name(const Digest& digest) { return digest.to_hex(); }

}  // namespace

FunctionKey FunctionKey::make() {
  SystemRandom random;
  return {fmt::format("PAWLFN{:016X}", random.next()),
          fmt::format("{:016x}{:016x}{:016x}", random.next(), random.next(), random.next())};
}

std::string local_endpoint(const std::string& host, std::uint16_t port) {
  // An address, and no name: SDKs take a bucket's name for a part of the host's otherwise.
  if (host == "localhost" || host == "0.0.0.0") return fmt::format("http://127.0.0.1:{}", port);
  if (host == "::") return fmt::format("http://[::1]:{}", port);
  if (host.find(':') != std::string::npos) return fmt::format("http://[{}]:{}", host, port);
  return fmt::format("http://{}:{}", host, port);
}

Result<std::unique_ptr<Functions>> Functions::open(
    const std::string& data, const FunctionsConfig& config, ReserveConfig reserve,
    const FunctionKey& key, Clock& clock, Random& random,
    std::function<void(const std::string& why)> on_unknown) {
  std::unique_ptr<Functions> functions(new Functions());
  functions->clock_ = &clock;
  functions->tidy_alarm_ = clock.make_alarm();
  const std::string path = data + "/functions";
  PAWL_TRY(create_directories(path, 0700));
  PAWL_ASSIGN_OR_RETURN(functions->store_,
                        RocksDbStore::open(path + "/store", settings_of_functions()));
  PAWL_ASSIGN_OR_RETURN(functions->catalog_, function::FunctionCatalog::open(
                                                 {*functions->store_, clock, random, on_unknown},
                                                 {reserve.bytes, reserve.inodes}));
  PAWL_ASSIGN_OR_RETURN(functions->folder_, open_directory(path));
  PAWL_ASSIGN_OR_RETURN(functions->code_,
                        CodeFolders::open(functions->folder_.get(),
                                          CodeFoldersOptions{reserve.bytes, reserve.inodes}));
  LogFilesOptions options;
  options.reserve_bytes = reserve.bytes;
  PAWL_ASSIGN_OR_RETURN(functions->log_files_, LogFiles::open(data + "/logs", options));
  functions->make_runner(config, key, clock, random);
  PAWL_TRY(functions->open_events(clock, std::move(on_unknown)));
  functions->make_services();
  return functions;
}

Status Functions::open_events(Clock& clock,
                              std::function<void(const std::string& why)> on_unknown) {
  PAWL_ASSIGN_OR_RETURN(
      events_, function::EventQueue::open(
                   {*store_, clock, *log_files_,
                    [this](std::string_view name) { return catalog_->find(name); },
                    [this](function::FunctionCall call) { runner_->submit(std::move(call)); },
                    [this](std::function<void()> work) { keeping_.run(std::move(work)); },
                    [this](std::uint64_t function) { runner_->meters().discarded_event(function); },
                    std::move(on_unknown)}));
  return ok();
}

void Functions::make_runner(const FunctionsConfig& config, const FunctionKey& key, Clock& clock,
                            Random& random) {
  processes_ =
      std::make_unique<ChildProcesses>(context_.get_executor(), unprivileged_user(), *log_files_);
  function::RuntimePlaces places;
  places.python_bootstrap = code_->python_bootstrap();
  places.node_bootstrap = code_->node_bootstrap();
  places.python_path = code_->python_path();
  places.home = code_->path() + "/no-home";  // nobody else may write there
  places.access_key = key.id;
  places.secret_key = key.secret;
  const std::string path = own_path();
  places.path =
      path.empty() ? std::string(kStandardPath) : fmt::format("{}:{}", kStandardPath, path);
  places.find_program = [path = places.path](std::string_view name) {
    return find_program(name, path);
  };
  function::RunnerOptions options;
  options.limits.workers_max = config.processes;
  options.processes_max = config.processes_max;
  const auto prepare_code = [this](const function::FunctionPtr& function,
                                   std::function<void(Result<std::string>)> done) {
    prepare(function, std::move(done));
  };
  runner_ = std::make_unique<function::FunctionRunner>(
      function::RunnerPorts{clock, random, *processes_, *log_files_, *catalog_, std::move(places),
                            prepare_code},
      options);
}

void Functions::make_services() {
  catalog_->set_listener([this](const std::string& name) { on_change(name); });
  lambda_ = std::make_unique<wire::LambdaService>(wire::LambdaPorts{
      *catalog_,
      [this](const std::string& zip) { return check_code(zip); },
      [this](std::function<void()> work) {
        changes_.run([this, work = std::move(work)] {
          work();
          settle_code();
        });
      },
      [this](function::FunctionCall call) { runner_->submit(std::move(call)); },
      [this](const function::FunctionPtr& function, std::string request_id, std::string trace_id,
             std::string payload) {
        return events_->add(*function, std::move(request_id), std::move(trace_id),
                            std::move(payload));
      },
      [this](std::function<void()> work) { keeping_.run(std::move(work)); },
  });
  logs_service_ = std::make_unique<wire::FunctionLogs>(
      *log_files_, [this](std::string_view name) { return catalog_->find(name) != nullptr; },
      [this](std::function<void()> work) { reading_.run(std::move(work)); });
}

Functions::~Functions() { stop(); }

void Functions::prepare(const function::FunctionPtr& function,
                        std::function<void(Result<std::string> folder)> done) {
  const std::string name = code_name(function->code_sha256);
  if (code_->has(name)) return done(code_->folder(name));
  unpacking_.run([this, function, name, done = std::move(done)]() -> void {
    const auto zip = catalog_->code_of(*function);
    if (!zip.ok()) return done(zip.error());
    done(code_->unpack(name, *zip));
  });
}

std::set<std::string> Functions::needed_code() const {
  std::set<std::string> needed;
  for (const auto& function : catalog_->list({}, function::kFunctionsMax).functions) {
    needed.insert(code_name(function->code_sha256));
  }
  return needed;
}

// On the thread that made the change.
void Functions::on_change(const std::string& name) {
  runner_->function_changed(name);
  code_->keep_only(needed_code());
}

// On changes_, as what follows: within an operation, which takes the code or does not.
Status Functions::check_code(const std::string& zip) {
  const std::string name = code_name(sha256(zip));
  const bool had = code_->has(name);
  PAWL_TRY(code_->unpack(name, zip));
  if (!had) checked_.push_back(name);
  return ok();
}

// After an operation: what was a trial, or was refused for another reason, leaves nothing.
void Functions::settle_code() {
  if (checked_.empty()) return;
  const auto needed = needed_code();
  for (const auto& name : std::exchange(checked_, {})) {
    if (!needed.contains(name)) code_->remove(name);
  }
}

// What no function has any more goes in its time, also if nothing is changed after that.
Awaitable<void> Functions::tidy_code() {
  while (!ended_) {
    const MonotonicInstant next = clock_->monotonic() + kTidyInterval;
    const auto woken = co_await tidy_alarm_->wait_until(next);
    if (woken == Alarm::Woken::kRung) continue;
    changes_.run([this] { code_->keep_only(needed_code()); });
  }
}

function::FunctionsFigures Functions::figures() const {
  return function::figures_of(catalog_->list({}, function::kFunctionsMax).functions,
                              runner_->meters().figures(), events_->waiting());
}

void Functions::start(const std::string& endpoint) {
  runner_->set_endpoint(endpoint);
  thread_ = std::thread([this] {
    boost::asio::co_spawn(context_, runner_->run(), [this](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
      ended_ = true;
      tidy_alarm_->ring();
    });
    boost::asio::co_spawn(context_, events_->run(), boost::asio::detached);
    boost::asio::co_spawn(context_, tidy_code(), boost::asio::detached);
    while (!ended_ && context_.run_one() > 0) continue;
    // No call is left. What was killed is reaped, but not waited for if it hangs in the kernel.
    context_.run_for(kReapMax);
  });
}

void Functions::stop() {
  if (events_) events_->stop();
  if (thread_.joinable()) {
    runner_->stop();
    thread_.join();
    // What the events that ended until now have left to write down.
    std::promise<void> written;
    keeping_.run([&written] { written.set_value(); });
    written.get_future().wait();
  }
  for (auto* const threads : {&changes_, &unpacking_, &keeping_, &reading_}) threads->stop();
}

}  // namespace pawl::server
