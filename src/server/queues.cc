#include "server/queues.h"

#include "observe/log.h"

namespace pawl::server {
namespace {

// Smaller than the tables': messages come and go. The log is what a start after a kill reads again.
RocksDbSettings settings_of_queues() {
  RocksDbSettings settings;
  settings.cache_bytes_max = 16ULL << 20;
  settings.memtable_bytes_max = 32ULL << 20;
  settings.wal_bytes_max = 32ULL << 20;
  settings.open_files_max = 256;
  return settings;
}

}  // namespace

Result<std::unique_ptr<Queues>> Queues::open(
    const std::string& path, ReserveConfig reserve, Clock& clock, Random& random,
    std::function<void(const std::string& why)> on_unknown) {
  std::unique_ptr<Queues> queues(new Queues(std::move(on_unknown)));
  PAWL_ASSIGN_OR_RETURN(queues->store_, RocksDbStore::open(path, settings_of_queues()));
  queue::EngineOptions options;
  options.reserve_bytes = reserve.bytes;
  options.reserve_inodes = reserve.inodes;
  PAWL_ASSIGN_OR_RETURN(queues->engine_, queue::QueueEngine::open({*queues->store_, clock, random},
                                                                  *queues, options));
  queues->service_ = std::make_unique<wire::SqsService>(*queues->engine_);
  queues->thread_ = std::make_unique<RoundThread<queue::QueueEngine>>(*queues->engine_);
  return queues;
}

Queues::~Queues() { stop(); }

void Queues::stop() {
  if (!thread_) return;
  stop_waiting();
  thread_->stop();
}

void Queues::trouble(const Error& error) {
  observe::alarm("queues: what was asked was not done", {{"why", error.to_string()}});
}

}  // namespace pawl::server
