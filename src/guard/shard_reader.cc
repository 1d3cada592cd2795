#include "guard/shard_reader.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "item/source_number.h"
#include "pipeline/ledger_view.h"

namespace pawl::guard {
namespace {

using archive::Progress;

// A failed look at the chain's end is repeated after this.
constexpr Duration kOpenAgain = std::chrono::seconds(1);
// A drop or the end of a round cuts every wait short; this one is only a bound.
constexpr Duration kLongWait = std::chrono::minutes(1);
// Between so many puts it is asked whether the shard is still this worker's.
constexpr std::size_t kPutsAtOnce = 200;

}  // namespace

ShardReader::ShardReader(const GuardPorts& ports, const GuardedTable& table, ReadingRoom& room,
                         ItemMemory& items, ShardSource source, Callbacks callbacks)
    : ports_(ports),
      table_(table),
      room_(room),
      source_(std::move(source)),
      callbacks_(std::move(callbacks)),
      alarm_(ports.clock.make_alarm()),
      images_(items) {
  status_.source = source_;
}

void ShardReader::end_round() {
  leaving_ = true;
  alarm_->ring();
}

void ShardReader::drop() {
  dropped_ = true;
  alarm_->ring();
}

ReaderStatus ShardReader::status() const {
  auto status = status_;
  status.archived = progress_.paged;
  status.in_hand = in_hand_.size();
  return status;
}

// One that was dropped says nothing: another may read the shard by now.
void ShardReader::tell(MembershipEvent event) {
  if (!dropped_) callbacks_.tell(std::move(event));
}

void ShardReader::note(std::string why) { status_.why = std::move(why); }

void ShardReader::tell_paged(const std::string& source) {
  if (ports_.check != nullptr && ports_.check->paged) ports_.check->paged(source_, source);
}

// To be asked only when nothing is between read and page. Says so, if the shard is to be left.
bool ShardReader::leaves() {
  if (leaving_) tell(RoundEnded{source_.id.number});
  return leaving_;
}

// Waits until then, or until it is dropped or to be left.
Awaitable<void> ShardReader::wait_until(MonotonicInstant when) {
  co_await alarm_->wait_until(std::min(when, ports_.clock.monotonic() + kLongWait));
}

Awaitable<void> ShardReader::run() {
  while (!dropped_) {
    const bool opened = co_await open();
    if (!opened) {
      if (leaves()) co_return;
      co_await wait_until(ports_.clock.monotonic() + kOpenAgain);
      continue;
    }
    const Turn turn = co_await read_on();
    seat_ = {};
    if (turn == Turn::kEnd) co_return;
  }
}

// The end of the chain, read anew: what was in hand is forgotten.
Awaitable<bool> ShardReader::open() {
  ledger_ = ports_.open_ledger();
  unsettled_.clear();
  in_hand_.clear();
  answer_.clear();
  auto end = co_await pipeline::read_shard_end(*ledger_, table_.archive, source_.id);
  if (!end.ok()) {
    note(end.error().to_string());
    co_return false;
  }
  chain_ = end->chain;
  progress_ = Progress::after_start(chain_.last);
  images_.begin(end->last_page ? end->last_page->entries.back().source : "");
  if (end->last_page) {
    const auto& newest = end->last_page->entries.back();
    cursor_ = StreamCursor::after(item::sequence_of(newest.source));
    status_.proven = newest.instant;
    if (ports_.check != nullptr) take_entered(ports_.check->taken, *end->last_page);
    tell_paged(newest.source);
  } else {
    const auto age = ports_.clock.now().microseconds - source_.born_after.microseconds;
    cursor_ = StreamCursor::from_oldest(!table_.held && Duration{age} > kOverdueAfter);
  }
  co_return true;
}

// Rounds: ask, take, archive, until the shard's end or until it is to be left.
Awaitable<ShardReader::Turn> ShardReader::read_on() {
  std::deque<CursorEvent> events;
  while (!dropped_) {
    if (events.empty()) {
      if (leaves()) co_return Turn::kEnd;
      events.emplace_back(ReadMore{std::min(progress_.room(), kStreamRecordsMax)});
    }
    const auto event = std::move(events.front());
    events.pop_front();
    for (const auto& effect : step(cursor_, event, ports_.clock.monotonic())) {
      if (dropped_) co_return Turn::kEnd;
      Turn turn = Turn::kGoOn;
      if (const auto* records = std::get_if<TakeRecords>(&effect)) {
        turn = co_await take(*records);
      } else if (const auto* ended = std::get_if<ShardEnded>(&effect)) {
        turn = co_await finish(*ended);
      } else if (const auto* pause = std::get_if<WaitUntil>(&effect)) {
        seat_ = {};
        if (leaves()) co_return Turn::kEnd;
        co_await wait_until(pause->when);
      } else if (const auto* problem = std::get_if<CursorProblem>(&effect)) {
        note(problem->what);
      } else {
        std::optional<CursorEvent> answer;
        if (const auto* iterator = std::get_if<AskIterator>(&effect)) {
          answer = co_await ask(*iterator);
        } else {
          answer = co_await ask(std::get<AskRecords>(effect));
        }
        if (!answer) {
          (void)leaves();
          co_return Turn::kEnd;
        }
        events.push_back(std::move(*answer));
      }
      if (turn != Turn::kGoOn) co_return turn;
    }
  }
  co_return Turn::kEnd;
}

Awaitable<std::optional<CursorEvent>> ShardReader::ask(const AskIterator& effect) {
  auto answer = co_await ports_.stream.iterator(source_.stream, source_.shard, effect.position);
  if (answer.ok()) co_return CursorEvent(IteratorGot{std::move(answer).value()});
  note(answer.error().message);
  co_return CursorEvent(StreamFailed{answer.error().kind});
}

// Nothing: it did not get a seat, because it is to leave.
Awaitable<std::optional<CursorEvent>> ShardReader::ask(const AskRecords& effect) {
  if (!seat_) {
    auto seat = co_await room_.take(*alarm_, [this] { return dropped_ || leaving_; });
    seat_ = std::move(seat);
    if (!seat_) co_return std::nullopt;
  }
  const auto asked = ports_.clock.now();
  auto answer = co_await ports_.stream.records(effect.iterator, effect.count_max);
  if (!answer.ok()) {
    note(answer.error().message);
    co_return CursorEvent(StreamFailed{answer.error().kind});
  }
  RecordsGot got;
  got.next_iterator = std::move(answer->next_iterator);
  for (const auto& record : answer->records) got.sequences.push_back(record.sequence);
  answer_ = std::move(answer->records);
  if (answer_.empty()) {
    status_.proven = std::max(status_.proven.value_or(asked), asked);
    status_.why.clear();
  }
  co_return CursorEvent(std::move(got));
}

Awaitable<ShardReader::Turn> ShardReader::take(const TakeRecords& effect) {
  PAWL_ASSERT(effect.first + effect.count <= answer_.size() && in_hand_.empty());
  auto gap = effect.gap;
  for (std::size_t i = 0; i < effect.count; ++i) {
    auto rendered = render_change(table_, source_.id, {progress_.paged.value + in_hand_.size() + 1},
                                  answer_[effect.first + i], gap);
    if (!rendered.ok()) {
      // What can't be read can't be passed over: nothing behind it counts until a person has looked.
      note(rendered.error().to_string());
      co_await wait_until(ports_.clock.monotonic() + kAskAPersonEvery);
      co_return Turn::kReadChainAgain;
    }
    in_hand_.push_back(std::move(rendered).value());
    gap.reset();
  }
  answer_.clear();
  images_.check(in_hand_);
  const auto oldest = in_hand_.front().entry.instant;
  status_.proven = std::min(status_.proven.value_or(oldest), oldest);
  if (ports_.check != nullptr) {
    const bool settled = co_await settle_objects();
    if (!settled) {
      // Of what it did not wait for the next reader waits.
      (void)leaves();
      co_return Turn::kEnd;
    }
  }
  const Turn turn = co_await archive_in_hand(effect.count);
  co_return turn;
}

// Where Pawl checks what somebody else writes: which object holds each change in hand. False: it is to leave, or was dropped.
Awaitable<bool> ShardReader::settle_objects() {
  std::size_t bytes = 0;
  for (const auto& change : in_hand_) bytes += change.body.size() + change.name.size();
  AwaitingHooks hooks;
  hooks.gives_up = [this] { return dropped_ || leaving_; };
  hooks.note = [this](std::string why) { note(std::move(why)); };
  // Who has little in hand waits in the corridor, so that a missing object holds up no other shard.
  hooks.before_wait = [this, bytes] {
    if (bytes <= kWaitsUnseated) seat_ = {};
  };
  if (ports_.check->ask_again) {
    hooks.ask_again = [this](std::span<const RenderedChange* const> changes, Duration within) {
      ports_.check->ask_again(source_, changes, within);
    };
    hooks.given = [this](std::span<const RenderedChange* const> changes) {
      return ports_.check->given(source_, changes);
    };
  }
  const bool settled =
      co_await settle_expected(*ports_.check, ports_.clock, *alarm_, in_hand_, std::move(hooks));
  co_return settled;
}

Awaitable<ShardReader::Turn> ShardReader::finish(const ShardEnded& effect) {
  PAWL_ASSERT(in_hand_.empty());
  if (effect.gap) ++status_.gaps;
  tell(ShardFinished{source_.id.number, effect.gap.has_value()});
  co_return Turn::kEnd;
}

// Brings what is in hand into pages; returns when nothing is left in hand, or when the chain is to be read again.
Awaitable<ShardReader::Turn> ShardReader::archive_in_hand(std::size_t taken) {
  std::deque<archive::ProgressEvent> events{archive::Taken{taken}};
  while (!dropped_) {
    if (events.empty()) {
      if (in_hand_.empty()) co_return Turn::kGoOn;
      // What it can't bring into a page now the next reader reads again.
      if (leaves()) co_return Turn::kEnd;
      co_await wait_until(progress_.retry_at);
      if (ports_.clock.monotonic() < progress_.retry_at) continue;
      events.emplace_back(archive::Taken{0});
    }
    const auto event = std::move(events.front());
    events.pop_front();
    for (const auto& effect : archive::step(progress_, event, ports_.clock.monotonic())) {
      if (std::holds_alternative<archive::Release>(effect))
        continue;  // the stream isn't ours to trim
      if (dropped_ || !callbacks_.may_write()) co_return Turn::kEnd;
      if (std::holds_alternative<archive::SetAside>(effect)) {
        // Nothing is in doubt in a store whose answers are durable (GuardPorts::objects).
        events.emplace_back(archive::SetAsideAnswered{true});
      } else if (const auto* objects = std::get_if<archive::Put>(&effect)) {
        auto answer = co_await put(*objects);
        events.emplace_back(std::move(answer));
      } else if (const auto* pages = std::get_if<archive::WritePage>(&effect)) {
        const auto status = co_await write_pages(*pages);
        if (!status.ok()) note(status.error().to_string());
        if (!status.ok() && status.error().code == ErrorCode::kConflict)
          co_return Turn::kReadChainAgain;
        events.emplace_back(archive::PageAnswered{status.ok()});
      } else {
        const auto status = co_await ledger_->reopen();
        if (!status.ok()) {
          note(status.error().to_string());
          co_await wait_until(progress_.retry_at);
        }
        events.emplace_back(archive::LedgerReopened{status.ok()});
      }
    }
    in_hand_.erase(in_hand_.begin(),
                   in_hand_.begin() +
                       static_cast<std::ptrdiff_t>(in_hand_.size() - progress_.in_flight.size()));
  }
  co_return Turn::kEnd;
}

RenderedChange& ShardReader::in_hand(SequenceNumber sequence) {
  return in_hand_[sequence.value - progress_.paged.value - 1];
}

// Of changes whose object somebody else has written, or nobody is to write, nothing is put.
Awaitable<archive::PutAnswered> ShardReader::put(const archive::Put& effect) {
  archive::PutAnswered answer;
  answer.outcomes.assign(effect.targets.size(), PutOutcome::kAlreadyEqual);
  std::vector<std::size_t> put;  // of the targets
  std::vector<std::string> names;
  names.reserve(effect.targets.size());
  std::vector<PutRequest> requests;
  for (std::size_t i = 0; i < effect.targets.size(); ++i) {
    const auto& target = effect.targets[i];
    const auto& change = in_hand(target.sequence);
    if (!change.to_put) continue;
    put.push_back(i);
    names.push_back(
        archive::fallback_name(change.name, source_.id, target.sequence, target.attempt));
    requests.push_back({names.back(), change.body, change.entry.sha256});
  }
  std::vector<PutResult> results;
  for (std::size_t done = 0; done < requests.size(); done += kPutsAtOnce) {
    const std::span<const PutRequest> some(requests.data() + done,
                                           std::min(kPutsAtOnce, requests.size() - done));
    if (dropped_ || !callbacks_.may_write()) {
      results.resize(requests.size(), {PutOutcome::kRefused, "the shard is another worker's"});
      break;
    }
    auto more = co_await ports_.objects.put_if_absent(some);
    std::move(more.begin(), more.end(), std::back_inserter(results));
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& target = effect.targets[put[i]];
    auto& change = in_hand(target.sequence);
    const auto outcome = results[i].outcome;
    answer.outcomes[put[i]] = outcome;
    if (outcome == PutOutcome::kStored || outcome == PutOutcome::kAlreadyEqual) {
      change.entry.object = names[i];
      if (target.attempt > 0) change.entry.renamed = change.name;
      if (target.attempt > 0) ++status_.renamed;
    } else if (outcome != PutOutcome::kAlreadyDifferent) {
      note(results[i].why);
    }
  }
  co_return answer;
}

Awaitable<Status> ShardReader::write_pages(const archive::WritePage& effect) {
  auto pages = unsettled_;
  auto end = pages.empty() ? chain_ : pages.back().after;
  end.volume_bytes = 0;  // they are a volume of their own
  if (end.last < effect.last) {
    auto more = ledger::next_shard_pages(
        end, table_.archive, source_.id, effect.last,
        [this](SequenceNumber sequence) -> const ledger::PageEntry& {
          return in_hand(sequence).entry;
        },
        ports_.clock.now(), nullptr);
    if (!more.ok()) co_return more.error();
    std::move(more->begin(), more->end(), std::back_inserter(pages));
  }
  const std::string chain = source_.id.to_string();
  std::vector<PageAppend> appends;
  appends.reserve(pages.size());
  for (const auto& page : pages) appends.push_back({chain, page.line.text});
  auto status = co_await ledger_->append(appends);
  if (status.ok()) status = co_await ledger_->sync();
  if (!status.ok()) {
    unsettled_ = std::move(pages);
    co_return status;
  }
  unsettled_.clear();
  chain_ = pages.back().after;
  for (const auto& change : in_hand_) {
    if (effect.last < change.entry.sequence) break;
    images_.paged(change);
    if (change.entry.gap) ++status_.gaps;
    status_.proven = change.entry.instant;
    if (ports_.check == nullptr) continue;
    status_.checked.count(change);
    take_entered(ports_.check->taken, change);
    if (ports_.check->tell) ports_.check->tell(change);
  }
  if (ports_.check != nullptr) tell_paged(in_hand(effect.last).entry.source);
  status_.why.clear();
  co_return ok();
}

}  // namespace pawl::guard
