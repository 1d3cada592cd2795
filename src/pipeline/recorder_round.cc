// One round of the recorder: read, render, set aside, put, page, release; for all shards together.
#include <algorithm>

#include "archive/body_format.h"
#include "archive/object_body.h"
#include "ledger/page_format.h"
#include "pipeline/recorder_state.h"

namespace pawl::pipeline {
namespace {

using archive::Progress;

constexpr Duration kReadRetry = std::chrono::seconds(1);
// Below this the archive counts as full.
constexpr std::uint64_t kRoomMin = std::uint64_t{16} << 20;

}  // namespace

Awaitable<bool> Recorder::round() {
  Round round;
  round.now = ports_.clock.monotonic();
  if (ledger_broken_ && round.now >= ledger_retry_at_ && co_await reopen_ledger()) {
    for (auto& [id, shard] : shards_) {
      if (shard->progress.phase == Progress::Phase::kReopening)
        apply(round, *shard, archive::LedgerReopened{true});
    }
  }
  if (ledger_broken_ || !co_await flush_root()) co_return false;

  const auto shards = choose_shards(round.now);
  std::size_t count_left = options_.round_changes_max;
  std::size_t bytes_left = options_.round_bytes_max;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    Shard& shard = *shards[i];
    // Fair: an equal part of what is left for each that is still to come, and never nothing.
    const auto share = shards.size() - i;
    const auto bytes_before = in_flight_bytes_;
    const auto flight_before = shard.flight.size();
    co_await take(round, shard, std::max<std::size_t>(1, count_left / share),
                  std::max<std::size_t>(1, bytes_left / share));
    count_left -= std::min(count_left, shard.flight.size() - flight_before);
    bytes_left -= std::min(bytes_left, in_flight_bytes_ - bytes_before);
  }
  co_await set_aside(round);
  co_await put(round);
  co_await write_pages(round);
  co_return round.moved;
}

std::vector<Recorder::Shard*> Recorder::choose_shards(MonotonicInstant now) {
  std::vector<Shard*> due;
  for (auto& [id, shard] : shards_) {
    if (shard->is_due(now, options_.page_changes_full)) due.push_back(shard.get());
  }
  if (!due.empty()) {
    std::rotate(due.begin(), due.begin() + static_cast<std::ptrdiff_t>(next_shard_ % due.size()),
                due.end());
    ++next_shard_;
  }
  return due;
}

// Reads further changes of a shard and starts its step. What can't be read now is left; what is in flight goes on.
Awaitable<void> Recorder::take(Round& round, Shard& shard, std::size_t count_max,
                               std::size_t bytes_max) {
  count_max = std::min(count_max, shard.progress.room());
  if (in_flight_bytes_ >= options_.in_flight_bytes_max) count_max = shard.flight.empty() ? 1 : 0;
  if (round.now < shard.read_retry_at) count_max = 0;
  std::size_t taken = 0;
  if (count_max > 0 && (shard.check_source || shard.committed > shard.progress.read())) {
    const auto records =
        co_await ports_.changes.read(shard.id, shard.progress.read(), count_max, bytes_max);
    Status status = records.ok() ? ok() : Status(records.error());
    if (records.ok()) {
      std::size_t bytes = 0;
      for (const auto& record : *records) {
        status = render(shard, record);
        if (!status.ok()) break;
        bytes += record.encoded.size();
        ++taken;
      }
      shard.at_end = records->empty();
      shard.check_source =
          !records->empty() && (records->size() >= count_max || bytes >= bytes_max);
      if (records->empty()) shard.committed = shard.progress.read();
    }
    if (!status.ok()) {
      shard.read_retry_at = round.now + kReadRetry;
      note_failure(shard, "change log", status.error().to_string());
      if (status.error().code == ErrorCode::kCorrupt) {
        raise(AlarmKind::kDamaged, shard.id.to_string(),
              "change log: " + status.error().to_string());
      }
    }
  }
  shard.committed = std::max(shard.committed, {shard.progress.read().value + taken});
  if (taken > 0) round.moved = true;
  apply(round, shard, archive::Taken{taken});
}

Status Recorder::render(Shard& shard, const ChangeRecord& record) {
  const SequenceNumber expected{shard.progress.paged.value + shard.flight.size() + 1};
  if (record.shard != shard.id || record.sequence != expected) {
    return Error{ErrorCode::kCorrupt,
                 "reading shard " + shard.id.to_string() + " gave change " +
                     std::to_string(record.sequence.value) + " where " +
                     std::to_string(expected.value) + " was due",
                 {}};
  }
  PAWL_ASSIGN_OR_RETURN(auto change,
                        item::decode_change(record.shard, record.sequence, record.encoded));
  Rendered rendered;
  rendered.body = archive::render_body(shard.table->named.name, change);
  rendered.name = shard.table->names.render(shard.table->named, change);
  rendered.shard = shard.id;
  rendered.entry.sequence = change.sequence;
  rendered.entry.key = std::move(change.key);
  rendered.entry.version = change.version;
  rendered.entry.kind = change.kind;
  rendered.entry.instant = change.instant;
  rendered.entry.size = rendered.body.size();
  rendered.entry.sha256 = sha256(rendered.body);
  in_flight_bytes_ += rendered.body.size();
  shard.flight.push_back(std::move(rendered));
  return ok();
}

// Runs the step of one shard and sorts what is to be done into the round.
void Recorder::apply(Round& round, Shard& shard, const archive::ProgressEvent& event) {
  for (auto& effect : archive::step(shard.progress, event, ports_.clock.monotonic())) {
    if (auto* aside = std::get_if<archive::SetAside>(&effect)) {
      round.asides.emplace_back(&shard, std::move(*aside));
    } else if (auto* put = std::get_if<archive::Put>(&effect)) {
      round.puts.emplace_back(&shard, std::move(*put));
    } else if (const auto* page = std::get_if<archive::WritePage>(&effect)) {
      round.pages.emplace_back(&shard, *page);
    } else if (const auto* release = std::get_if<archive::Release>(&effect)) {
      ports_.changes.release(shard.id, release->through);
    }  // ReopenLedger: round() does it for all shards at once
  }
}

Awaitable<void> Recorder::set_aside(Round& round) {
  const auto asides = std::exchange(round.asides, {});
  if (asides.empty()) co_return;
  std::vector<std::string> names;
  Status status = ok();
  for (const auto& [shard, effect] : asides) {
    if (!ports_.objects.may_doubt()) break;
    for (const auto sequence : effect.changes) {
      if (status.ok()) status = co_await find_doubtful(shard->rendered(sequence), names);
    }
  }
  if (status.ok() && !names.empty()) status = co_await ports_.objects.set_aside(names);
  for (const auto& [shard, effect] : asides) {
    if (!status.ok()) note_failure(*shard, "archive", status.error().to_string());
    apply(round, *shard, archive::SetAsideAnswered{status.ok()});
  }
}

// Adds the names under which exactly this change's content stands. Other content may be sealed, so it stays; it also
// tells to look at the next fallback, as the put did that may have been there.
Awaitable<Status> Recorder::find_doubtful(const Rendered& rendered,
                                          std::vector<std::string>& names) {
  for (std::uint32_t attempt = 0; attempt <= archive::kFallbacksMax; ++attempt) {
    const auto name =
        archive::fallback_name(rendered.name, rendered.shard, rendered.entry.sequence, attempt);
    const auto content = co_await ports_.objects.get(name, archive::kBodyBytesMax);
    if (!content.ok()) {
      const auto code = content.error().code;
      const bool is_no_body = code == ErrorCode::kCorrupt || code == ErrorCode::kInvalid;
      if (!is_no_body) co_return content.error();
      continue;
    }
    if (!content->has_value()) {
      if (attempt > 0) break;
      continue;
    }
    if (sha256(**content) == rendered.entry.sha256) names.push_back(name);
  }
  co_return ok();
}

Awaitable<void> Recorder::put(Round& round) {
  // Each turn evades names that were found taken; progress.h bounds the turns by kFallbacksMax.
  while (!round.puts.empty()) {
    const auto puts = std::exchange(round.puts, {});
    std::vector<std::string> names;
    std::vector<PutRequest> requests;
    for (const auto& [shard, effect] : puts) {
      for (const auto& target : effect.targets) {
        names.push_back(archive::fallback_name(shard->rendered(target.sequence).name, shard->id,
                                               target.sequence, target.attempt));
      }
    }
    for (const auto& [shard, effect] : puts) {
      for (const auto& target : effect.targets) {
        const auto& rendered = shard->rendered(target.sequence);
        requests.push_back({names[requests.size()], rendered.body, rendered.entry.sha256});
      }
    }
    const auto results = co_await ports_.objects.put_if_absent(requests);
    PAWL_ASSERT(results.size() == requests.size());
    std::size_t next = 0;
    for (const auto& [shard, effect] : puts) {
      archive::PutAnswered answer;
      for (const auto& target : effect.targets) {
        auto& rendered = shard->rendered(target.sequence);
        rendered.entry.object = std::move(names[next]);
        note_put(*shard, rendered, results[next], target);
        answer.outcomes.push_back(results[next].outcome);
        ++next;
      }
      apply(round, *shard, answer);
    }
  }
}

void Recorder::note_put(Shard& shard, Rendered& rendered, const PutResult& result,
                        const archive::Target& target) {
  switch (result.outcome) {
    case PutOutcome::kStored:
    case PutOutcome::kAlreadyEqual: {
      ++totals_.objects;
      totals_.object_bytes += rendered.body.size();
      in_flight_bytes_ -= rendered.body.size();
      rendered.body = {};
      lower(AlarmKind::kNoRoom, "archive");
      if (target.attempt == 0) return;
      ++totals_.renamed;
      rendered.entry.renamed = rendered.name;
      Table& table = *shard.table;
      if (!table.counter_reset_told) {
        table.counter_reset_told = true;
        root_events_.emplace_back(ledger::CounterReset{
            shard.id.incarnation, shard.id, target.sequence, rendered.name, rendered.entry.object});
      }
      raise(AlarmKind::kCounterReset, table.named.name,
            "object name '" + rendered.name + "' was taken by another version, so this one is '" +
                rendered.entry.object +
                "': a counter in the items was reset, the table was made anew, or an older copy of "
                "it was adopted; every version is kept");
      return;
    }
    case PutOutcome::kAlreadyDifferent:
      if (target.attempt >= archive::kFallbacksMax) {
        note_failure(shard, "archive",
                     "every fallback of the name '" + rendered.name + "' is taken");
      }
      return;
    case PutOutcome::kRefused:
    case PutOutcome::kUnknown: {
      note_failure(shard, "archive", result.why);
      const auto room = ports_.objects.free_bytes();
      if (room.ok() && *room && **room < kRoomMin) {
        raise(AlarmKind::kNoRoom, "archive",
              "the archive is full (" + result.why +
                  "): make room there; changes are held in the change log");
      }
    }
  }
}

// Builds the lines of one shard's page: one page, or several where its entries exceed what a page may hold.
Status Recorder::build_pages(const Shard& shard, const archive::WritePage& effect,
                             std::vector<ledger::NextPage>& pages) {
  // What a failed sync was given comes first, unchanged: it may be there (ledger_store.h, reopen()).
  pages = shard.unsettled;
  ledger::ChainEndState end = pages.empty() ? shard.chain : pages.back().after;
  if (ports_.ledger.seals_at_sync()) end.volume_bytes = 0;  // they are a volume of their own
  PAWL_ASSERT(shard.chain.last.next() == effect.first && end.last <= effect.last);
  if (end.last == effect.last) return ok();
  PAWL_ASSIGN_OR_RETURN(auto more,
                        ledger::next_shard_pages(
                            end, options_.archive, shard.id, effect.last,
                            [&shard](SequenceNumber sequence) -> const ledger::PageEntry& {
                              return shard.rendered(sequence).entry;
                            },
                            ports_.clock.now(), ports_.signer));
  std::move(more.begin(), more.end(), std::back_inserter(pages));
  return ok();
}

Awaitable<void> Recorder::write_pages(Round& round) {
  const auto writes = std::exchange(round.pages, {});
  if (writes.empty()) co_return;
  std::vector<std::vector<ledger::NextPage>> built(writes.size());
  std::vector<ChainPage> lines;
  // Alarms of this round go first: an alarm without its page is harmless, a page without its alarm is not.
  bool durable = co_await flush_root();
  Status status = ok();
  for (std::size_t i = 0; durable && status.ok() && i < writes.size(); ++i) {
    status = build_pages(*writes[i].first, writes[i].second, built[i]);
    for (const auto& page : built[i]) lines.push_back({writes[i].first->id.to_string(), page});
  }
  if (durable) {
    const bool given = status.ok();
    if (given) status = co_await append_durably(lines);
    durable = status.ok();
    if (!durable) ledger_failed(status.error());
    for (std::size_t i = 0; given && !durable && i < writes.size(); ++i) {
      writes[i].first->unsettled = std::move(built[i]);
    }
  }
  for (std::size_t i = 0; i < writes.size(); ++i) {
    Shard& shard = *writes[i].first;
    if (durable) {
      page_written(round, shard, built[i]);
    } else {
      if (!status.ok()) note_failure(shard, "ledger", status.error().to_string());
      apply(round, shard, archive::PageAnswered{false});
    }
  }
}

void Recorder::page_written(Round& round, Shard& shard, std::span<const ledger::NextPage> pages) {
  const auto before = shard.progress.paged;
  shard.chain = pages.back().after;
  if (ports_.ledger.seals_at_sync()) shard.chain.volume_bytes = 0;
  shard.unsettled.clear();
  if (!stopping_) shard.page_due = ports_.clock.monotonic() + shard.table->page_interval;
  totals_.pages += pages.size();
  apply(round, shard, archive::PageAnswered{true});
  const auto count = static_cast<std::ptrdiff_t>(shard.progress.paged.value - before.value);
  shard.flight.erase(shard.flight.begin(), shard.flight.begin() + count);
  PAWL_ASSERT(shard.chain.last == shard.progress.paged);
  shard.moved = ports_.clock.monotonic();
  shard.moved_at = ports_.clock.now();
  if (shard.flight.empty()) shard.where.clear(), shard.why.clear();
  round.moved = true;
  tip_moved_ = true;
  chains_moved_ = true;
}

}  // namespace pawl::pipeline
