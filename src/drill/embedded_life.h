// One life of an embedded Pawl in virtual time: what the server's composition puts together (table store, change log,
// commit board, recorder), with the drill's executor for its threads and watched memory stores under it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "drill/virtual_time.h"
#include "pipeline/catalog_tables.h"
#include "pipeline/recorder.h"
#include "table/table_store.h"

namespace pawl::drill {

// All must outlive it.
struct LifePorts {
  KeyValueStore& store;
  ObjectStore& objects;
  LedgerStore& ledger;
  Random& random;
  VirtualTime& time;
};

struct LifeOptions {
  table::CommitterOptions committer;
  pipeline::RecorderOptions recorder;
  Duration commit_pause{0};  // after each round that did something: a slow disk
};

// Its coroutines belong to process(): crash that before this is destroyed.
class EmbeddedLife final : private table::CommitListener {
 public:
  EmbeddedLife(LifePorts ports, LifeOptions options);

  VirtualProcess process() const { return process_; }

  // Recovers, as a start of the server does; the recorder's part goes on in start(). Errors end this life.
  Status open();
  void start();

  // From when the recorder agreed with the data directory.
  bool serving() const { return serving_; }
  // The process ends: by itself after a failure, with why(); or after stop().
  bool ended() const { return ended_; }
  const std::string& why() const { return why_; }
  // The start asked for `pawl adopt`, and for this reason.
  const std::optional<std::string>& disagreement() const { return disagreement_; }

  // A clean stop: what is queued is done, what is committed is archived for as long as the recorder's grace goes.
  void stop();

  table::CommandSink& commands() { return *tables_.committer; }
  table::TableStore& tables() { return tables_; }
  pipeline::Recorder& recorder() { return *recorder_; }

 private:
  void committed(std::span<const table::ShardAdvance> shards) override;
  void table_created(const table::TableDescription&) override {}
  void table_deleted(const table::TableDescription&) override {}
  void table_adopted(const table::TableDescription&, Incarnation) override {}
  void room_changed(bool, const std::string&) override {}
  void heartbeat(Instant at) override { board_.heartbeat(at); }
  void trim_failed(const Error&) override {}
  void failed(const std::string& why) override;

  Awaitable<void> record();
  Awaitable<void> commit();
  void end(std::string why);

  LifePorts ports_;
  LifeOptions options_;
  VirtualProcess process_;
  std::unique_ptr<Alarm> commit_bell_;
  pipeline::CommitBoard board_;
  table::TableStore tables_;
  std::unique_ptr<pipeline::CatalogTables> recorded_;
  std::unique_ptr<pipeline::Recorder> recorder_;
  bool serving_ = false;
  bool stopping_ = false;
  bool ended_ = false;
  std::string why_;
  std::optional<std::string> disagreement_;
};

}  // namespace pawl::drill
