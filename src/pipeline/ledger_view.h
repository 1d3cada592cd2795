// What the root chain of an archive says: its tables, their chains, and how it ends. Read at a start, by `adopt` and by
// `restore`.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ledger/chain.h"
#include "ledger/root_page.h"
#include "port/ledger_store.h"

namespace pawl::pipeline {

struct LedgerTable {
  ledger::TableCreated created;
  std::optional<ledger::TableDeleted> deleted;
  std::optional<Incarnation> adopted_by;  // its chains are closed at the forks of that table
  bool counter_reset = false;             // its one alarm has been given

  bool open() const { return !deleted && !adopted_by; }
};

struct LedgerView {
  std::string archive;                  // empty if there is no root page yet
  std::optional<PublicKey> public_key;  // that signs at the end of the chain
  ledger::ChainEndState root;
  std::uint64_t torn_root_bytes = 0;
  std::map<Incarnation, LedgerTable> tables;
  // Tables that somebody else keeps, by name. Their shards are the guard's business.
  std::map<Incarnation, std::string> guarded;
  bool clean_stop = false;  // the last event is a clean stop
};

// Errors: kCorrupt where a root page is damaged or does not follow the one before, and those of the store.
Awaitable<Result<LedgerView>> read_root_chain(LedgerStore& store);

// The end of a shard's chain.
struct ShardEnd {
  ledger::ChainEndState chain;
  std::optional<ledger::ShardPage> last_page;
  std::uint64_t torn_bytes = 0;
};
// Errors: kCorrupt where the last page is damaged or of another archive or chain.
Awaitable<Result<ShardEnd>> read_shard_end(LedgerStore& store, std::string archive, ShardId shard);

}  // namespace pawl::pipeline
