#include "guard/root_owner.h"

#include <utility>

#include "guard/guarded_definition.h"
#include "ledger/page_format.h"
#include "pipeline/ledger_view.h"

namespace pawl::guard {
namespace {

constexpr Duration kAgain = std::chrono::seconds(1);
// Of a page whose outcome is unknown: it is put again, unchanged, until it is known.
constexpr Duration kSettleAgain = std::chrono::milliseconds(200);

}  // namespace

RootOwner::RootOwner(const GuardPorts& ports, const GuardedTable& table,
                     std::function<bool()> may_write)
    : ports_(ports),
      table_(table),
      may_write_(std::move(may_write)),
      alarm_(ports.clock.make_alarm()) {
  lineage_.held = table.held;
}

void RootOwner::drop() {
  dropped_ = true;
  alarm_->ring();
}

void RootOwner::rows_listed(RowsListed rows) {
  // Only the newest counts.
  std::erase_if(
      events_, [](const LineageEvent& event) { return std::holds_alternative<RowsListed>(event); });
  events_.emplace_back(std::move(rows));
  alarm_->ring();
}

Awaitable<void> RootOwner::run() {
  while (!dropped_) {
    const bool opened = co_await open();
    if (opened) break;
    co_await alarm_->wait_until(ports_.clock.monotonic() + kAgain);
  }
  events_.emplace_back(ChainKnown{});
  while (!dropped_) {
    const auto now = ports_.clock.monotonic();
    if (events_.empty() && now >= lineage_.next_tick()) events_.emplace_back(LineageTick{});
    if (events_.empty()) {
      co_await alarm_->wait_until(lineage_.next_tick());
      continue;
    }
    const auto event = std::move(events_.front());
    events_.pop_front();
    for (auto& effect : step(lineage_, event, now)) {
      if (dropped_) co_return;
      co_await perform(std::move(effect));
    }
  }
}

// Reads the chain, and enters that the table is guarded where it does not say so yet.
Awaitable<bool> RootOwner::open() {
  auto status = co_await read_chain();
  if (status.ok() && chain_.pages == 0) status = co_await append(ledger::ArchiveCreated{});
  if (status.ok() && !guarded_) {
    ledger::TableGuarded event;
    event.incarnation = table_.incarnation;
    event.table = table_.named.name;
    event.arn = table_.arn;
    event.definition = definition_of(table_);
    status = co_await append(std::move(event));
  }
  if (!status.ok()) note(status.error().to_string());
  written_before_ = chain_.instant;
  co_return status.ok();
}

// From the start, or after another's page was met: what is known already is passed over by lineage.h.
Awaitable<Status> RootOwner::read_chain() {
  ledger_ = ports_.open_ledger();
  chain_ = {};
  Status failure = ok();
  const std::string chain(ledger::kRootChain);
  const auto status = co_await ledger_->read(chain, [this, &failure](std::string_view line) {
    failure = take_line(line);
    return failure.ok();
  });
  if (!status.ok()) co_return status;
  co_return failure;
}

Status RootOwner::take_line(std::string_view line) {
  PAWL_ASSIGN_OR_RETURN(const auto parsed, ledger::parse_line(line));
  PAWL_ASSIGN_OR_RETURN(auto page, ledger::parse_root_page(parsed.json, ledger::Heads::kSkip));
  if (page.archive != table_.archive) {
    return Error{ErrorCode::kCorrupt,
                 "the root chain holds a page of another archive, " + page.archive,
                 "run `pawl verify` on the archive"};
  }
  const Instant before = chain_.pages == 0 ? page.instant : chain_.instant;
  PAWL_TRY(ledger::follow(chain_, page, parsed.digest));
  if (const auto* guarded = std::get_if<ledger::TableGuarded>(&page.event)) {
    guarded_ = guarded_ || guarded->incarnation == table_.incarnation;
  } else if (const auto* opened = std::get_if<ledger::ShardOpened>(&page.event)) {
    if (opened->shard.incarnation != table_.incarnation) return ok();
    ShardOpened entry;
    entry.number = opened->shard.number;
    entry.stream = opened->stream;
    entry.shard = opened->source;
    if (opened->parent) entry.parent = opened->parent->number;
    entry.gap = opened->gap;
    if (born_after_.emplace(entry.number, before).second)
      events_.emplace_back(EntryKnown{std::move(entry)});
  } else if (const auto* closed = std::get_if<ledger::ShardClosed>(&page.event)) {
    if (closed->incarnation != table_.incarnation) return ok();
    events_.emplace_back(EntryKnown{ShardClosed{closed->closed.shard.number, closed->gap}});
  }
  return ok();
}

// One page. Ok: it is durable. kConflict: another's stands there, and the chain was read again. Any other error: it is not
// there, and won't be. Does not return with a page in doubt unless it is dropped.
Awaitable<Status> RootOwner::append(ledger::RootEvent event) {
  auto page =
      ledger::next_root_page(chain_, table_.archive, std::move(event), ports_.clock.now(), nullptr);
  if (!page.ok()) co_return page.error();
  const PageAppend line{ledger::kRootChain, page->line.text};
  while (!dropped_ && may_write_()) {
    auto status = co_await ledger_->append({&line, 1});
    if (status.ok()) status = co_await ledger_->sync();
    if (status.ok()) {
      chain_ = page->after;
      chain_.volume_bytes = 0;  // each sync ends a volume
      why_.clear();
      co_return ok();
    }
    if (status.error().code == ErrorCode::kConflict) {  // another worker's: no trouble
      const auto read = co_await read_chain();
      co_return read.ok() ? status : read;
    }
    note(status.error().to_string());
    co_await alarm_->wait_until(ports_.clock.monotonic() + kSettleAgain);
    const auto reopened = co_await ledger_->reopen();
    if (!reopened.ok()) note(reopened.error().to_string());
  }
  co_return Error{ErrorCode::kUnavailable, "the root chain is not this worker's any more", {}};
}

Awaitable<void> RootOwner::perform(LineageEffect effect) {
  if (std::holds_alternative<DescribeTable>(effect)) {
    const auto facts = co_await ports_.table.describe();
    if (!facts.ok()) {
      note(facts.error().to_string());
      events_.emplace_back(TableNotDescribed{});
      co_return;
    }
    std::optional<std::string> stream;
    if (facts->stream) stream = facts->stream->arn;
    events_.emplace_back(TableDescribed{std::move(stream)});
  } else if (const auto* list = std::get_if<ListShards>(&effect)) {
    co_await list_shards(*list);
  } else if (auto* entry = std::get_if<Enter>(&effect)) {
    co_await enter(std::move(entry->entry));
  } else if (const auto* made = std::get_if<MakeRow>(&effect)) {
    co_await write_row(shard_row_name(made->row.number), 0, encode_row(full(made->row)));
  } else if (const auto* open = std::get_if<OpenRow>(&effect)) {
    co_await write_row(shard_row_name(open->row.number), open->expected,
                       encode_row(full(open->row)));
  } else if (const auto* removed = std::get_if<RemoveRow>(&effect)) {
    if (!may_write_()) co_return;
    (void)co_await ports_.leases.erase(removed->name, removed->expected);
  } else if (const auto* problem = std::get_if<LineageProblem>(&effect)) {
    note(problem->what);
  }
}

Awaitable<void> RootOwner::list_shards(ListShards list) {
  if (list.after.empty()) listing_began_ = ports_.clock.now();
  auto page = co_await ports_.stream.shards(list.stream, list.after);
  if (!page.ok()) {
    note(page.error().message);
    events_.emplace_back(ShardsNotListed{page.error().kind});
    co_return;
  }
  remember_new(list.stream, *page);
  if (page->last_shard.empty()) listed_[list.stream] = listing_began_;
  events_.emplace_back(ShardsListed{std::move(page).value()});
}

void RootOwner::remember_new(const std::string& stream, const StreamShardPage& page) {
  const auto listed = listed_.find(stream);
  const Instant before = listed == listed_.end() ? written_before_ : listed->second;
  for (const auto& shard : page.shards) {
    Lineage::Source source{stream, shard.id};
    if (!lineage_.numbers.contains(source)) new_shards_.try_emplace(std::move(source), before);
  }
}

ShardRow RootOwner::full(ShardRow row) const {
  const auto& source = lineage_.shards.at(row.number).source;
  row.stream = source.first;
  row.shard = source.second;
  const auto born = born_after_.find(row.number);
  row.born_after = born == born_after_.end() ? written_before_ : born->second;
  return row;
}

// Its answer is not asked for: the next listing of rows tells.
Awaitable<void> RootOwner::write_row(std::string name, std::uint64_t expected, std::string value) {
  if (!may_write_()) co_return;
  const auto written = co_await ports_.leases.put(std::move(name), expected, std::move(value));
  if (written.outcome != LeaseOutcome::kDone) note(written.why);
}

Awaitable<void> RootOwner::enter(LineageEntry entry) {
  auto event = co_await event_of(entry);
  Status status = ok();
  if (event.ok()) {
    auto appended = co_await append(std::move(event).value());
    status = std::move(appended);
  } else {
    status = event.error();
  }
  if (!status.ok()) {
    if (status.error().code != ErrorCode::kConflict) note(status.error().to_string());
    events_.emplace_back(EnterAnswered{false});
    co_return;
  }
  if (const auto* opened = std::get_if<ShardOpened>(&entry)) {
    const auto shown = new_shards_.extract(Lineage::Source(opened->stream, opened->shard));
    born_after_.emplace(opened->number, shown.empty() ? written_before_ : shown.mapped());
  }
  events_.emplace_back(EnterAnswered{true});
}

Awaitable<Result<ledger::RootEvent>> RootOwner::event_of(const LineageEntry& entry) {
  if (const auto* opened = std::get_if<ShardOpened>(&entry)) {
    ledger::ShardOpened event;
    event.incarnation = table_.incarnation;
    event.shard = {table_.incarnation, opened->number};
    event.stream = opened->stream;
    event.source = opened->shard;
    if (opened->parent) event.parent = ShardId{table_.incarnation, *opened->parent};
    event.gap = opened->gap;
    co_return ledger::RootEvent(std::move(event));
  }
  // Its reader has ended, so its chain has, too.
  const ShardId id{table_.incarnation, std::get<ShardClosed>(entry).number};
  const auto ledger = ports_.open_ledger();
  const auto end = co_await pipeline::read_shard_end(*ledger, table_.archive, id);
  if (!end.ok()) co_return end.error();
  ledger::ShardClosed event{table_.incarnation,
                            {id, end->chain.last, end->chain.pages, {}},
                            std::get<ShardClosed>(entry).gap};
  if (end->chain.pages > 0) event.closed.digest = end->chain.digest;
  co_return ledger::RootEvent(event);
}

}  // namespace pawl::guard
