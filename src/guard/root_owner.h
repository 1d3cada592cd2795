// Writes the root chain of a guarded table while the root is this worker's: the shell around lineage.h. It reads the chain,
// makes it where the archive is new, and from then on enters what lineage.h decides and writes the rows that follow.
//
// The chain is put if absent, page by page: whoever meets another's page reads on from there. It begins no write unless
// `may_write` says that the root is still this worker's.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "guard/guard_ports.h"
#include "guard/lineage.h"
#include "guard/membership.h"
#include "ledger/chain.h"

namespace pawl::guard {

// One executor. Held by a shared_ptr of which its own coroutine has one.
class RootOwner {
 public:
  RootOwner(const GuardPorts& ports, const GuardedTable& table, std::function<bool()> may_write);

  // Ends when it is dropped. Once.
  Awaitable<void> run();
  void drop();
  // A listing of the rows, as membership.h got it.
  void rows_listed(RowsListed rows);

  // The last thing that went wrong, for people; "" if nothing did since the last success.
  const std::string& why() const { return why_; }

 private:
  Awaitable<bool> open();
  Awaitable<Status> read_chain();
  Status take_line(std::string_view line);
  Awaitable<Status> append(ledger::RootEvent event);
  Awaitable<void> perform(LineageEffect effect);
  Awaitable<void> list_shards(ListShards list);
  void remember_new(const std::string& stream, const StreamShardPage& page);
  ShardRow full(ShardRow row) const;
  Awaitable<void> enter(LineageEntry entry);
  Awaitable<Result<ledger::RootEvent>> event_of(const LineageEntry& entry);
  Awaitable<void> write_row(std::string name, std::uint64_t expected, std::string value);
  void note(std::string why) { why_ = std::move(why); }

  const GuardPorts& ports_;
  const GuardedTable& table_;
  std::function<bool()> may_write_;
  std::unique_ptr<Alarm> alarm_;
  bool dropped_ = false;

  std::unique_ptr<LedgerStore> ledger_;
  ledger::ChainEndState chain_;
  bool guarded_ = false;                           // the chain knows the table
  std::map<ShardNumber, Instant> born_after_;      // of the chain's shards that are not closed
  std::map<Lineage::Source, Instant> new_shards_;  // likewise of those that are to be entered
  // When the last whole listing of each stream began. Before there is one in this life: when somebody last wrote the chain.
  std::map<std::string, Instant> listed_;
  Instant listing_began_;
  Instant written_before_;
  std::deque<LineageEvent> events_;
  Lineage lineage_;
  std::string why_;
};

}  // namespace pawl::guard
