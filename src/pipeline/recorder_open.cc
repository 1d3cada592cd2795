// Start-up of the recorder: where the ledger ends, whether the data directory agrees, and what was begun and not ended.
#include <algorithm>

#include "archive/object_body.h"
#include "ledger/page_format.h"
#include "pipeline/recorder_state.h"
#include "pipeline/table_events.h"

namespace pawl::pipeline {
namespace {

Error wrong_archive(std::string why) {
  return Error{ErrorCode::kConflict, std::move(why),
               "is this the archive that the data directory was used with?"};
}

}  // namespace

Awaitable<Status> Recorder::check_archive(const LedgerView& view) {
  if (!view.archive.empty() && view.archive != options_.archive) {
    co_return wrong_archive("the ledger is that of archive " + view.archive + ", not of " +
                            options_.archive);
  }
  if (!view.guarded.empty()) {  // its tip and checkpoints would lose the guard's chains
    co_return Error{ErrorCode::kInvalid,
                    "the archive holds table '" + view.guarded.begin()->second +
                        "', which somebody else keeps and `pawl guard` archives here",
                    "give `pawl serve` an archive of its own"};
  }
  if (view.torn_root_bytes > 0) {
    // What a root page says is known here too, so it is simply written again.
    raise(AlarmKind::kTornPage, std::string(ledger::kRootChain),
          "an incomplete last root page was cut off");
    co_return co_await ports_.ledger.cut(ledger::kRootChain);
  }
  co_return ok();
}

Awaitable<Result<Opening>> Recorder::open() {
  auto view = co_await read_root_chain(ports_.ledger);
  if (!view.ok()) co_return view.error();
  auto status = co_await check_archive(*view);
  if (!status.ok()) co_return status.error();
  root_ = view->root;

  Opening opening;
  tables_revision_ = ports_.tables.revision();
  const auto tables = ports_.tables.tables();
  std::set<Incarnation> known, adopted;
  for (const auto& table : tables) {
    if (table.parent) adopted.insert(*table.parent);
  }
  for (const auto& table : tables) {
    known.insert(table.incarnation);
    if (adopted.contains(table.incarnation)) continue;  // settle_adopted() lets it go
    status = co_await compare_table(*view, table, opening);
    if (!status.ok()) co_return status.error();
  }
  for (const auto& [incarnation, table] : view->tables) {
    if (!table.open() || known.contains(incarnation)) continue;
    opening.disagreements.push_back(
        {Disagreement::Kind::kUnknownToData, incarnation, table.created.table, std::nullopt,
         "the ledger has table '" + table.created.table + "' (" + incarnation.to_string() +
             "), which this data directory does not know"});
  }
  if (opening.needs_adopt()) {
    totals_.needs_adopt = true;
    disagreements_ = opening.disagreements;
    for (const auto& disagreement : opening.disagreements) {
      raise(AlarmKind::kNeedsAdopt, disagreement.table,
            disagreement.text + "; see `pawl adopt --help`");
    }
    publish();
    co_return opening;
  }
  status = co_await settle_adopted(*view, tables);
  if (!status.ok()) co_return status.error();
  for (const auto& [id, shard] : shards_) {
    if (shard->progress.paged.value > 0) ports_.changes.release(id, shard->progress.paged);
  }
  publish();
  co_return opening;
}

Awaitable<Status> Recorder::compare_table(const LedgerView& view, const RecordedTable& facts,
                                          Opening& opening) {
  const auto found = view.tables.find(facts.incarnation);
  const bool in_ledger = found != view.tables.end();
  if (in_ledger && !found->second.open()) {
    if (facts.deleted && found->second.deleted) {  // a crash before the data directory was told
      settled_.insert(facts.incarnation);
      co_return co_await ports_.tables.closed(facts.incarnation);
    }
    opening.disagreements.push_back(
        {Disagreement::Kind::kClosedInLedger, facts.incarnation, facts.definition.name,
         std::nullopt,
         "table '" + facts.definition.name + "' (" + facts.incarnation.to_string() +
             ") is open in this data directory, but its chains are closed in the ledger"});
    co_return ok();
  }
  Table& table = add_table(facts);
  table.in_ledger = in_ledger;
  table.counter_reset_told = in_ledger && found->second.counter_reset;
  if (!in_ledger) root_events_.emplace_back(created_event(facts));
  for (const auto id : facts.shards) {
    auto status = co_await compare_shard(facts, id, in_ledger, opening);
    if (!status.ok()) co_return status;
  }
  co_return ok();
}

Awaitable<Status> Recorder::compare_shard(const RecordedTable& table, ShardId id, bool in_ledger,
                                          Opening& opening) {
  ShardEnd end;
  if (in_ledger) {
    auto read = co_await read_shard_end(ports_.ledger, options_.archive, id);
    if (!read.ok()) co_return read.error();
    end = std::move(read).value();
  }
  const auto disagreements = opening.disagreements.size();
  if (end.last_page) {
    auto status = co_await check_newest(table, id, end.last_page->entries.back(), opening);
    if (!status.ok()) co_return status;
  } else {
    const auto first = co_await ports_.changes.read(id, {}, 1, 1);
    if (!first.ok() && first.error().code == ErrorCode::kCorrupt) {
      opening.disagreements.push_back(
          {Disagreement::Kind::kTrimmed, table.incarnation, table.definition.name, id,
           "the first changes of shard " + id.to_string() + " (table '" + table.definition.name +
               "') are in an archive already, and are not in this one"});
    } else if (!first.ok()) {
      co_return first.error();
    }
  }
  if (end.torn_bytes > 0 && opening.disagreements.size() == disagreements) {
    auto status = co_await check_torn(table, id, end, opening);
    if (!status.ok()) co_return status;
  }
  add_shard(*tables_.at(table.incarnation), id, archive::Progress::after_start(end.chain.last),
            end.chain);
  co_return ok();
}

// The change log must hold the newest paged change, with the content that the ledger says.
Awaitable<Status> Recorder::check_newest(const RecordedTable& table, ShardId id,
                                         const ledger::PageEntry& newest, Opening& opening) {
  const auto records = co_await ports_.changes.read(id, {newest.sequence.value - 1}, 1, 1);
  const std::string what = "change " + std::to_string(newest.sequence.value) + " of shard " +
                           id.to_string() + " (table '" + table.definition.name + "')";
  const auto disagree = [&](Disagreement::Kind kind, std::string text) {
    opening.disagreements.push_back(
        {kind, table.incarnation, table.definition.name, id, std::move(text)});
  };
  if (!records.ok()) {
    if (records.error().code != ErrorCode::kCorrupt) co_return records.error();
    disagree(Disagreement::Kind::kTrimmed, what +
                                               " is the last in the ledger, but the change log "
                                               "begins after it: changes between are in no page");
    co_return ok();
  }
  if (records->empty()) {
    disagree(Disagreement::Kind::kBehindLedger,
             what +
                 " is in the ledger, but not in this data directory: it is older than the archive "
                 "(restored from "
                 "a copy?)");
    co_return ok();
  }
  const auto& record = records->front();
  const auto change = item::decode_change(id, record.sequence, record.encoded);
  if (!change.ok()) co_return change.error();
  if (record.sequence != newest.sequence ||
      sha256(archive::render_body(table.definition.name, *change)) != newest.sha256) {
    disagree(Disagreement::Kind::kDiverged, what +
                                                " is another one in this data directory than in "
                                                "the ledger: it was restored from a copy that is "
                                                "older than the archive, and written to since");
  }
  co_return ok();
}

// A torn page may be cut off where its changes are still held.
Awaitable<Status> Recorder::check_torn(const RecordedTable& table, ShardId id, const ShardEnd& end,
                                       Opening& opening) {
  const auto next = co_await ports_.changes.read(id, end.chain.last, 1, 1);
  if (!next.ok()) co_return next.error();
  if (next->empty()) {
    opening.disagreements.push_back(
        {Disagreement::Kind::kBehindLedger, table.incarnation, table.definition.name, id,
         "the chain of shard " + id.to_string() + " (table '" + table.definition.name +
             "') ends in an incomplete page whose changes are not in this data directory"});
    co_return ok();
  }
  raise(AlarmKind::kTornPage, id.to_string(),
        "an incomplete last page of " + std::to_string(end.torn_bytes) +
            " bytes was cut off; its changes are still held and are entered again");
  co_return co_await ports_.ledger.cut(id.to_string());
}

Awaitable<Status> Recorder::start_root_chain(const LedgerView& view) {
  std::vector<ledger::RootEvent> events;
  std::optional<PublicKey> key;
  if (ports_.signer != nullptr) key = ports_.signer->public_key();
  if (root_.pages == 0) events.emplace_back(ledger::ArchiveCreated{key});
  const bool new_key = root_.pages > 0 && key != view.public_key;
  events.emplace_back(
      ledger::ServerStarted{options_.data, options_.software, new_key ? key : std::nullopt});
  root_events_.insert(root_events_.begin(), events.begin(), events.end());
  if (!co_await flush_root()) {
    co_return Error{ErrorCode::kUnavailable,
                    "the start could not be entered in the ledger's root chain",
                    "look whether the archive can be written and has room"};
  }
  co_return ok();
}

// Enters the start, with the forks of tables that were adopted; then their old incarnations may go.
Awaitable<Status> Recorder::settle_adopted(const LedgerView& view,
                                           const std::vector<RecordedTable>& tables) {
  std::vector<Incarnation> settled;
  for (const auto& table : tables) {
    const auto old = std::find_if(tables.begin(), tables.end(), [&](const auto& other) {
      return table.parent == other.incarnation;
    });
    if (old == tables.end()) continue;
    settled.push_back(old->incarnation);
    if (view.tables.contains(table.incarnation) || !view.tables.contains(old->incarnation))
      continue;
    auto parent = co_await find_forks(ports_.changes, ports_.ledger, *old);
    if (!parent.ok()) co_return parent.error();
    for (auto& event : root_events_) {
      auto* created = std::get_if<ledger::TableCreated>(&event);
      if (created != nullptr && created->incarnation == table.incarnation)
        created->parent = std::move(*parent);
    }
  }
  auto status = co_await start_root_chain(view);
  if (!status.ok()) co_return status;
  for (const auto incarnation : settled) {
    settled_.insert(incarnation);
    status = co_await ports_.tables.closed(incarnation);
    if (!status.ok()) co_return status;
  }
  co_return ok();
}

Awaitable<Status> Recorder::adopt(AdoptTarget& target) {
  const auto view = co_await read_root_chain(ports_.ledger);
  if (!view.ok()) co_return view.error();
  std::set<Incarnation> concerned;
  for (const auto& disagreement : disagreements_) concerned.insert(disagreement.incarnation);
  std::vector<ledger::RootEvent> abandoned;
  for (const auto& table : ports_.tables.tables()) {
    if (concerned.erase(table.incarnation) == 0) continue;
    const auto forks = co_await find_forks(ports_.changes, ports_.ledger, table);
    if (!forks.ok()) co_return forks.error();
    std::map<ShardId, SequenceNumber> archived;
    for (const auto& fork : forks->forks) archived[fork.shard] = fork.sequence;
    auto status = co_await target.adopt(table, std::move(archived));
    if (!status.ok()) co_return status;
  }
  for (const auto incarnation : concerned) {  // what only the ledger knows
    const auto found = view->tables.find(incarnation);
    if (found == view->tables.end()) continue;
    auto event = co_await abandon(found->second);
    if (!event.ok()) co_return event.error();
    abandoned.emplace_back(std::move(*event));
  }
  root_events_ = std::move(abandoned);
  if (!co_await flush_root()) {
    co_return Error{ErrorCode::kUnavailable,
                    "adopting: the root chain of the ledger could not be written",
                    "look whether the archive can be written and has room, and adopt again"};
  }
  co_return ok();
}

Awaitable<Result<ledger::TableDeleted>> Recorder::abandon(const LedgerTable& table) {
  ledger::TableDeleted event{table.created.incarnation, {}, true};
  for (const auto id : table.created.shards) {
    const auto end = co_await read_shard_end(ports_.ledger, options_.archive, id);
    if (!end.ok()) co_return end.error();
    ledger::ClosedShard closed{id, end->chain.last, end->chain.pages, {}};
    if (end->chain.pages > 0) closed.digest = end->chain.digest;
    event.shards.push_back(closed);
  }
  co_return event;
}

}  // namespace pawl::pipeline
