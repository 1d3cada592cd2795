#include "drill/embedded_life.h"

#include <boost/asio/co_spawn.hpp>

#include "drill/effect_log.h"

namespace pawl::drill {
namespace {

// How long the commit side sleeps when nobody rings, as server/round_thread.h does.
constexpr Duration kIdleWake = std::chrono::seconds(1);

// A coroutine that ends because its process is dead has ended well: the world buries the process.
void finished(const std::exception_ptr& failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const ProcessDied&) {
  }
}

}  // namespace

EmbeddedLife::EmbeddedLife(LifePorts ports, LifeOptions options)
    : ports_(ports),
      options_(std::move(options)),
      process_(ports.time.start_process()),
      commit_bell_(ports.time.clock().make_alarm()) {}

Status EmbeddedLife::open() {
  PAWL_ASSIGN_OR_RETURN(tables_, table::TableStore::open(ports_.store, ports_.time.clock(),
                                                         ports_.random, *this, options_.committer));
  tables_.committer->set_waker([this] { commit_bell_->ring(); });
  recorded_ = std::make_unique<pipeline::CatalogTables>(*tables_.catalog, *tables_.committer);
  pipeline::tell_backlog(*tables_.log, board_);
  recorder_ = std::make_unique<pipeline::Recorder>(
      pipeline::RecorderPorts{*tables_.log, ports_.objects, ports_.ledger, *recorded_, board_,
                              ports_.time.clock(), nullptr},
      options_.recorder);
  return ok();
}

void EmbeddedLife::start() {
  boost::asio::co_spawn(ports_.time.executor(process_), record(), finished);
}

void EmbeddedLife::stop() {
  if (std::exchange(stopping_, true)) return;
  tables_.committer->close();
  commit_bell_->ring();
}

void EmbeddedLife::committed(std::span<const table::ShardAdvance> shards) {
  for (const auto& shard : shards) board_.committed(shard.shard, shard.newest);
}

void EmbeddedLife::failed(const std::string& why) { end(why); }

void EmbeddedLife::end(std::string why) {
  if (std::exchange(ended_, true)) return;
  serving_ = false;
  why_ = std::move(why);
}

Awaitable<void> EmbeddedLife::record() {
  auto opening = co_await recorder_->open();
  if (!opening.ok()) {
    end(opening.error().to_string());
    co_return;
  }
  if (opening->needs_adopt()) {
    disagreement_ = opening->disagreements.front().text;
    end(*disagreement_);
    co_return;
  }
  boost::asio::co_spawn(ports_.time.executor(process_), commit(), finished);
  serving_ = true;
  const auto status = co_await recorder_->run();
  end(status.ok() ? "stopped" : status.error().to_string());
}

Awaitable<void> EmbeddedLife::commit() {
  Clock& clock = ports_.time.clock();
  while (!ended_) {
    const auto round = tables_.committer->run_round();
    if (round == table::Committer::Round::kEnded) co_return;
    const bool idle = round == table::Committer::Round::kIdle;
    if (stopping_ && idle && !tables_.committer->has_commands()) {
      recorder_->stop();
      stopping_ = false;  // once; rounds go on, because the recorder may settle a table
    }
    const Duration pause = idle ? kIdleWake : options_.commit_pause;
    // A pause can't be cut short, a sleep can.
    const auto until = clock.monotonic() + pause;
    while (co_await commit_bell_->wait_until(until) == Alarm::Woken::kRung && !idle) {
    }
  }
}

}  // namespace pawl::drill
