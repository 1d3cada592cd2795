// One worker of the guard: takes its part of the shards of a table's stream and records them. Any number of them work
// beside each other, in any processes, started and killed at will: they agree by lease rows (membership.h).
//
//   membership.h --StartShard--> ShardReader (one coroutine a shard held)
//                --StartRoot---> RootOwner (one worker at a time)
//
// After a crash nothing need be done: the others fence this worker and go on where the chains end.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "guard/guard_ports.h"
#include "guard/membership.h"
#include "guard/reading_room.h"
#include "guard/root_owner.h"
#include "guard/shard_reader.h"
#include "guard/tasks.h"

namespace pawl::guard {

struct WorkerStatus {
  std::string id;  // of this life; "" while it has none
  bool is_member = false;
  bool owns_root = false;
  std::size_t others = 0;            // workers that live, as far as is known
  std::vector<ReaderStatus> shards;  // held by this worker
  // Of all workers together, by the rows: shards that nobody reads although they could be, and those that wait for others
  // to be read to their end.
  std::size_t unread = 0;
  std::size_t waiting = 0;
  std::string why;  // the last problem with rows or root
  Instant taken;    // when this was told

  // How far what this worker reads is behind: nothing while it reads none, or does not know yet.
  std::optional<Duration> lag() const;
};

// Thread use: run() in one coroutine; stop() and status() from any thread. Destroy it after run() has returned.
class Worker {
 public:
  // The lease table must be there (LeaseStore::create_if_absent()).
  Worker(GuardPorts ports, GuardedTable table);

  // Until stop(); then it releases its shards and ends its membership.
  Awaitable<void> run();
  void stop();

  WorkerStatus status() const;
  // Whether this worker still counts as alive by its own clock: asked right before any write is sent. From any thread.
  bool trusts_itself() const { return ports_.clock.monotonic().microseconds < trusted_until_; }

 private:
  void take(const MembershipEvent& event);
  void perform(const MembershipEffect& effect);
  void start_shard(ShardNumber number);
  Awaitable<void> read_shard(std::shared_ptr<ShardReader> reader);
  void start_root();
  void drop_everything();
  Awaitable<void> list_rows();
  Awaitable<void> put_row(std::uint64_t ticket, std::string name, std::uint64_t expected,
                          std::string value);
  Awaitable<void> erase_row(std::uint64_t ticket, std::string name, std::uint64_t expected);
  void tell(MembershipEvent event);
  std::optional<std::string> fresh_id();
  MonotonicInstant next_tick() const;
  void publish();

  GuardPorts ports_;
  GuardedTable table_;
  std::unique_ptr<Alarm> alarm_;
  Tasks tasks_;    // reads and writes of rows
  Tasks working_;  // readers and root: what one life writes
  ReadingRoom room_;
  ItemMemory items_;
  boost::asio::any_io_executor executor_;
  Membership membership_;
  std::deque<MembershipEvent> events_;
  std::map<ShardNumber, std::shared_ptr<ShardReader>> readers_;
  std::shared_ptr<RootOwner> root_;
  std::string why_;
  bool ended_ = false;
  std::atomic<bool> stopping_ = false;
  MonotonicInstant publish_due_;
  std::atomic<std::int64_t> trusted_until_ = 0;  // membership_'s, in microseconds; 0: no member

  mutable std::mutex published_mutex_;
  WorkerStatus published_;
};

}  // namespace pawl::guard
