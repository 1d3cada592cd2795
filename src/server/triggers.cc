#include "server/triggers.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace pawl::server {
namespace {

// Small: a checkpoint a shard, and what has failed for good.
RocksDbSettings settings_of_triggers() {
  RocksDbSettings settings;
  settings.cache_bytes_max = 8ULL << 20;
  settings.memtable_bytes_max = 8ULL << 20;
  settings.wal_bytes_max = 16ULL << 20;
  settings.open_files_max = 64;
  return settings;
}

}  // namespace

Triggers::Triggers(TriggersGround ground)
    : ground_(std::move(ground)),
      streams_(ground_.tables, ground_.holds),
      destinations_(ground_.queues, ground_.buckets) {}

Result<std::unique_ptr<Triggers>> Triggers::open(const std::string& path, TriggersGround ground,
                                                 const trigger::TriggerOptions& options) {
  std::unique_ptr<Triggers> triggers(new Triggers(std::move(ground)));
  PAWL_ASSIGN_OR_RETURN(triggers->store_, RocksDbStore::open(path, settings_of_triggers()));
  PAWL_TRY(trigger::MappingStage::prepare(*triggers->store_));
  const TriggersGround& on = triggers->ground_;
  triggers->state_ = std::make_unique<trigger::StateThread>(*triggers->store_, on.on_unknown);
  const trigger::TriggerPorts ports{triggers->streams_, on.functions, triggers->destinations_,
                                    *triggers->state_,  on.clock,     on.random};
  PAWL_ASSIGN_OR_RETURN(triggers->stage_,
                        trigger::MappingStage::open(*triggers->store_, ports, options));
  triggers->service_ = std::make_unique<wire::LambdaMappings>(*triggers->stage_, *on.tables.streams,
                                                              on.function_exists);
  return triggers;
}

Triggers::~Triggers() { stop(); }

void Triggers::start() {
  thread_ = std::thread([this] {
    boost::asio::co_spawn(context_, stage_->run(), boost::asio::detached);
    context_.run();
  });
}

void Triggers::stop() {
  if (thread_.joinable()) {
    stage_->stop();
    thread_.join();
  }
  if (state_) state_->stop();
}

}  // namespace pawl::server
