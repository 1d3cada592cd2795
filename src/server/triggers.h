// The mappings of a server: their store, their threads, and what answers Lambda's requests about them.
//
// Their store is a RocksDB of its own, DATA/triggers (docs/internals/triggers.md says why). One thread reads streams and calls
// functions, another makes checkpoints and dead letters durable.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "adapter/rocksdb_store.h"
#include "port/function_host.h"
#include "server/config.h"
#include "server/trigger_ports.h"
#include "trigger/mapping_stage.h"
#include "trigger/state_thread.h"
#include "wire/lambda_mappings.h"

namespace pawl::server {

// What the mappings stand on. All must outlive them.
struct TriggersGround {
  const table::TableStore& tables;
  stream::ReadHolds& holds;
  FunctionHost& functions;
  std::function<bool(std::string_view name)> function_exists;
  queue::CommandSink& queues;
  BucketPlace& buckets;
  Clock& clock;
  Random& random;
  // Nobody knows whether the last batch is durable: the process must end.
  std::function<void(const std::string& why)> on_unknown;
};

class Triggers {
 public:
  // Opens the store, and holds what the mappings need of the change log: before anything is committed. Errors: as of the
  // adapter and the stage.
  static Result<std::unique_ptr<Triggers>> open(const std::string& path, TriggersGround ground,
                                                const trigger::TriggerOptions& options);
  ~Triggers();

  wire::LambdaMappings& service() { return *service_; }
  const trigger::MappingDesk& desk() const { return *stage_; }
  // Functions are called from then on. Once.
  void start();
  // Calls no function any more: before the functions are stopped, whose end is then nobody's failure.
  void stop_calling() { stage_->stop(); }
  // Lets what is under way with functions end, keeps its checkpoints, and joins.
  void stop();

  // From any thread.
  void committed(ShardId shard) { stage_->committed(shard); }
  std::vector<trigger::MappingStatus> statuses() const { return stage_->list(); }

 private:
  explicit Triggers(TriggersGround ground);

  TriggersGround ground_;
  TableStreams streams_;
  LocalDestinations destinations_;
  std::unique_ptr<RocksDbStore> store_;
  std::unique_ptr<trigger::StateThread> state_;
  std::unique_ptr<trigger::MappingStage> stage_;
  std::unique_ptr<wire::LambdaMappings> service_;
  boost::asio::io_context context_{1};  // goes first: what sleeps in it uses the stage
  std::thread thread_;
};

}  // namespace pawl::server
