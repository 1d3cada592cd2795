// The expectations of a server: tables of which a function of this server is to write an object for every change, and what becomes of
// each (docs/internals/supervised.md). One supervised_table.h for each life of such a table, whether it was there at the start or comes
// later, and what enters in each bucket's ledger what the function has replaced (bucket/kept_recorder.h); all on one thread.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "bucket/kept_recorder.h"
#include "server/config.h"
#include "server/supervised_table.h"

namespace pawl::server {

class Supervision {
 public:
  // Before the tables are opened: nothing of these is trimmed until the supervision knows how far it is.
  static void hold(const Expectations& expectations, stream::ReadHolds& holds);

  Supervision(SupervisionGround ground, Expectations expectations);
  // Stops if stop() was not called.
  ~Supervision();
  Supervision(const Supervision&) = delete;
  Supervision& operator=(const Supervision&) = delete;

  // Works from then on. Once. Without expectations there is no thread.
  void start();
  // Gives nothing to functions any more: before they are stopped.
  void stop_calling();
  // Ends, and joins. What is in hand is looked for again after the next start. Before the buckets are stopped.
  void stop();

  // By table, and of a table the newest life last. From any thread.
  std::vector<ExpectationStatus> statuses() const;

 private:
  Awaitable<void> run();
  Awaitable<void> look_after(std::string bucket);
  template <typename Ended>
  void begin(Awaitable<void> work, Ended ended);
  void follow_tables();
  std::vector<std::shared_ptr<SupervisedTable>> supervised() const;

  SupervisionGround ground_;
  const Expectations expectations_;
  std::map<std::string, guard::ObjectsTaken, std::less<>> taken_;  // of each bucket
  std::set<Incarnation> over_;  // all of them is in a ledger; until the catalog forgets them
  std::size_t running_ = 0;
  std::unique_ptr<Alarm> alarm_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;  // of the two below
  std::map<std::string, std::shared_ptr<bucket::KeptRecorder>, std::less<>> kept_;  // by bucket
  std::map<Incarnation, std::shared_ptr<SupervisedTable>> tables_;
  boost::asio::io_context context_{1};  // goes first: what sleeps in it uses all of this
  std::thread thread_;
};

}  // namespace pawl::server
