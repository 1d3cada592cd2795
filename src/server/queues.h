// The queues of a server: their store, their thread, and what answers SQS requests with them.
//
// Their store is a RocksDB of its own, DATA/queues (docs/internals/queues.md says why).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "adapter/rocksdb_store.h"
#include "queue/queue_engine.h"
#include "server/config.h"
#include "server/round_thread.h"
#include "wire/sqs_service.h"

namespace pawl::server {

class Queues final : private queue::EngineListener {
 public:
  // Opens the store and starts the thread. Clock and random must outlive it. `on_unknown` is called when nobody knows whether
  // the last batch is durable: the process must end. Errors: as of the adapter and the engine.
  static Result<std::unique_ptr<Queues>> open(
      const std::string& path, ReserveConfig reserve, Clock& clock, Random& random,
      std::function<void(const std::string& why)> on_unknown);
  ~Queues() override;

  wire::SqsService& service() { return *service_; }
  queue::CommandSink& engine() { return *engine_; }  // for those in this process
  // From any thread; a second old or two.
  std::shared_ptr<const queue::QueuesFigures> figures() const { return engine_->figures(); }
  // Answers the receives that wait, so that a stop need not wait for them. Others are served on.
  void stop_waiting() { engine_->stop_waiting(); }
  // Does what was asked, and joins.
  void stop();

 private:
  explicit Queues(std::function<void(const std::string& why)> on_unknown)
      : on_unknown_(std::move(on_unknown)) {}
  void outcome_unknown(const std::string& why) override { on_unknown_(why); }
  void trouble(const Error& error) override;

  std::function<void(const std::string& why)> on_unknown_;
  std::unique_ptr<RocksDbStore> store_;
  std::unique_ptr<queue::QueueEngine> engine_;
  std::unique_ptr<wire::SqsService> service_;
  std::unique_ptr<RoundThread<queue::QueueEngine>> thread_;
};

}  // namespace pawl::server
