// The recorder's writes that are not of one shard: root chain, checkpoints, tip; and what to do when the ledger fails.
#include <algorithm>

#include "ledger/page_format.h"
#include "pipeline/recorder_state.h"

namespace pawl::pipeline {
namespace {

// Says that the recorder is in a call of the ledger, for as long as it lives.
class InLedger {
 public:
  explicit InLedger(std::atomic<bool>& flag) : flag_(flag) { flag_ = true; }
  ~InLedger() { flag_ = false; }
  InLedger(const InLedger&) = delete;
  InLedger& operator=(const InLedger&) = delete;

 private:
  std::atomic<bool>& flag_;
};

}  // namespace

// Appends pages, in order, and syncs. After an error nobody knows what is there: ledger_failed().
Awaitable<Status> Recorder::append_durably(const std::vector<ChainPage>& pages) {
  const InLedger in_ledger(in_ledger_);
  std::vector<PageAppend> batch;
  for (const auto& [chain, page] : pages) {
    if (page.new_volume) {
      if (!batch.empty()) {
        auto status = co_await ports_.ledger.append(batch);
        if (!status.ok()) co_return status;
        batch.clear();
      }
      auto status = co_await ports_.ledger.start_volume(chain);
      if (!status.ok()) co_return status;
    }
    batch.push_back({chain, page.line.text});
  }
  auto status = co_await ports_.ledger.append(batch);
  if (!status.ok()) co_return status;
  co_return co_await ports_.ledger.sync();
}

void Recorder::ledger_failed(const Error& error) {
  ledger_broken_ = true;
  ++totals_.failures;
  const auto doublings = std::min<std::uint32_t>(ledger_failures_++, 10);
  ledger_retry_at_ = ports_.clock.monotonic() +
                     std::min(archive::kBackoffFirst * (1 << doublings), archive::kBackoffLast);
  for (auto& [id, shard] : shards_) {
    if (shard->flight.empty()) continue;
    shard->where = "ledger";
    shard->why = error.to_string();
  }
  if (error.code == ErrorCode::kExhausted) {
    raise(AlarmKind::kNoRoom, "ledger",
          "the ledger can't grow (" + error.message + "): make room there");
  }
  if (error.code == ErrorCode::kConflict) fatal_ = error;
}

Awaitable<bool> Recorder::reopen_ledger() {
  const InLedger in_ledger(in_ledger_);
  const auto status = co_await ports_.ledger.reopen();
  if (!status.ok()) {
    ledger_failed(status.error());
    co_return false;
  }
  ledger_broken_ = false;
  co_return true;
}

// Makes the waiting root events durable. False: the ledger is broken; they wait on.
Awaitable<bool> Recorder::flush_root() {
  if (root_events_.empty()) co_return true;
  // What a failed sync was given comes first, unchanged: it may be there (ledger_store.h, reopen()).
  std::vector<ChainPage> pages = root_unsettled_;
  ledger::ChainEndState end = pages.empty() ? root_ : pages.back().page.after;
  while (pages.size() < root_events_.size()) {
    auto page = ledger::next_root_page(end, options_.archive, root_events_[pages.size()],
                                       ports_.clock.now(), ports_.signer);
    if (!page.ok()) {
      ledger_failed(page.error());
      co_return false;
    }
    end = page->after;
    pages.push_back({std::string(ledger::kRootChain), std::move(page).value()});
  }
  const auto status = co_await append_durably(pages);
  if (!status.ok()) {
    root_unsettled_ = std::move(pages);
    ledger_failed(status.error());
    co_return false;
  }
  root_unsettled_.clear();
  ledger_failures_ = 0;
  lower(AlarmKind::kNoRoom, "ledger");
  root_ = end;
  if (ports_.ledger.seals_at_sync()) root_.volume_bytes = 0;
  tip_moved_ = true;
  for (const auto& event : root_events_) {
    if (const auto* created = std::get_if<ledger::TableCreated>(&event)) {
      tables_.at(created->incarnation)->in_ledger = true;
    } else if (const auto* deleted = std::get_if<ledger::TableDeleted>(&event)) {
      const auto table = tables_.find(deleted->incarnation);  // none for an abandoned one
      if (table != tables_.end()) table->second->end_in_ledger = true;
    }
  }
  root_events_.clear();
  co_return true;
}

Awaitable<void> Recorder::close_deleted() {
  std::vector<Incarnation> ended;
  for (auto& [incarnation, table] : tables_) {
    if (!table->facts.deleted || !table->in_ledger) continue;
    const auto& ids = table->facts.shards;
    const bool all_paged = std::all_of(ids.begin(), ids.end(), [this](ShardId id) {
      const auto& shard = *shards_.at(id);
      return shard.at_end && shard.flight.empty() && shard.committed <= shard.progress.paged;
    });
    if (all_paged) ended.push_back(incarnation);
  }
  for (const auto incarnation : ended) {
    const auto status = co_await close_table(*tables_.at(incarnation));
    if (!status.ok()) continue;  // again in the next round; the change log is held meanwhile
    settled_.insert(incarnation);
    for (const auto id : tables_.at(incarnation)->facts.shards) shards_.erase(id);
    tables_.erase(incarnation);
  }
}

Awaitable<Status> Recorder::close_table(Table& table) {
  if (!table.end_in_ledger) {
    ledger::TableDeleted event{table.facts.incarnation, {}, false};
    for (const auto id : table.facts.shards) {
      const auto& chain = shards_.at(id)->chain;
      ledger::ClosedShard closed{id, chain.last, chain.pages, {}};
      if (chain.pages > 0) closed.digest = chain.digest;
      event.shards.push_back(closed);
    }
    // Once: it stays among the waiting events until it is durable, because its page may be there already.
    if (!table.end_waits) root_events_.emplace_back(std::move(event));
    table.end_waits = true;
    if (!co_await flush_root()) {
      co_return Error{
          ErrorCode::kUnavailable, "the end of a table could not be entered in the ledger", {}};
    }
  }
  co_return co_await ports_.tables.closed(table.facts.incarnation);
}

Awaitable<void> Recorder::write_checkpoint(bool stopping) {
  const auto now = ports_.clock.monotonic();
  if (ledger_broken_) co_return;
  if (chains_moved_ && (stopping || now >= checkpoint_due_)) {
    ledger::Checkpoint event;
    for (const auto& [id, shard] : shards_) {
      if (const auto head = shard->chain.head()) event.chains[id] = *head;
    }
    root_events_.emplace_back(std::move(event));
    chains_moved_ = false;
    checkpoint_due_ = now + options_.checkpoint_interval;
  }
  if (stopping) root_events_.emplace_back(ledger::ServerStopped{options_.data});
  co_await flush_root();
}

Awaitable<void> Recorder::write_tip(bool stopping) {
  const auto now = ports_.clock.monotonic();
  const bool due = (tip_moved_ && now >= tip_due_) || (heartbeats_moved_ && now >= idle_tip_due_) ||
                   (stopping && (tip_moved_ || heartbeats_moved_));
  if (!due || ledger_broken_ || root_.pages == 0) co_return;
  ledger::Tip tip{options_.archive, ports_.clock.now(), *root_.head(), {}};
  for (const auto& [id, shard] : shards_) tip.chains[id] = {shard->chain.head(), shard->heartbeat};
  tip_due_ = now + options_.tip_interval;
  auto line = ledger::make_line(ledger::encode_tip(tip), ports_.signer);
  Status status = line.ok() ? ok() : Status(line.error());
  if (status.ok()) {
    const InLedger in_ledger(in_ledger_);
    status = co_await ports_.ledger.put_tip(line->text);
  }
  if (!status.ok()) {
    ++totals_.failures;  // the chains are ahead of the tip; it is written again in a second
    if (status.error().code == ErrorCode::kConflict) fatal_ = status.error();
    co_return;
  }
  tip_moved_ = false;
  heartbeats_moved_ = false;
  idle_tip_due_ = now + options_.idle_tip_interval;
}

}  // namespace pawl::pipeline
