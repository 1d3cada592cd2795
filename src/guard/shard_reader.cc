#include "guard/shard_reader.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <span>

#include "archive/body_format.h"
#include "archive/object_body.h"
#include "item/dynamodb_json.h"
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

// The ledger has a record's number in one form; the service may pad it with zeros, and takes no shorter one than this (API
// reference, GetShardIterator: SequenceNumber, 21 to 40 digits).
constexpr std::size_t kSequenceDigitsMin = 21;

std::string source_of(std::string_view sequence) {
  sequence.remove_prefix(std::min(sequence.find_first_not_of('0'), sequence.size() - 1));
  return std::string(sequence);
}
std::string sequence_of(const std::string& source) {
  if (source.size() >= kSequenceDigitsMin) return source;
  return std::string(kSequenceDigitsMin - source.size(), '0') + source;
}

item::ChangeKind kind_of(StreamChangeKind kind) {
  switch (kind) {
    case StreamChangeKind::kInsert:
      return item::ChangeKind::kInsert;
    case StreamChangeKind::kModify:
      return item::ChangeKind::kModify;
    case StreamChangeKind::kRemove:
      return item::ChangeKind::kRemove;
  }
  return item::ChangeKind::kModify;
}

// What the version attribute says, where there is one and it is a number that every reader of JSON takes for whole.
std::optional<Version> version_of(const item::Change& change,
                                  const std::optional<std::string>& attribute) {
  const auto& image = change.new_image ? change.new_image : change.old_image;
  if (!attribute || !image) return std::nullopt;
  const auto found = image->find(*attribute);
  if (found == image->end() || !found->second.is<item::Number>()) return std::nullopt;
  const auto text = found->second.as<item::Number>().to_string();
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value > item::kGuardedVersionMax) return std::nullopt;
  return Version{value};
}

}  // namespace

ShardReader::ShardReader(const GuardPorts& ports, const GuardedTable& table, ReadingRoom& room,
                         ShardSource source, Callbacks callbacks)
    : ports_(ports),
      table_(table),
      room_(room),
      source_(std::move(source)),
      callbacks_(std::move(callbacks)),
      alarm_(ports.clock.make_alarm()) {
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
  if (end->newest) {
    cursor_ = StreamCursor::after(sequence_of(end->newest->source));
    status_.proven = end->newest->instant;
  } else {
    const auto age = ports_.clock.now().microseconds - source_.born_after.microseconds;
    cursor_ = StreamCursor::from_oldest(Duration{age} > kOverdueAfter);
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
    const auto status = render(answer_[effect.first + i], gap);
    if (!status.ok()) {
      // What can't be read can't be passed over: nothing behind it counts until a person has looked.
      note(status.error().to_string());
      co_await wait_until(ports_.clock.monotonic() + kAskAPersonEvery);
      co_return Turn::kReadChainAgain;
    }
    gap.reset();
  }
  answer_.clear();
  const auto oldest = in_hand_.front().entry.instant;
  status_.proven = std::min(status_.proven.value_or(oldest), oldest);
  const Turn turn = co_await archive_in_hand(effect.count);
  co_return turn;
}

Awaitable<ShardReader::Turn> ShardReader::finish(const ShardEnded& effect) {
  PAWL_ASSERT(in_hand_.empty());
  if (effect.gap) ++status_.gaps;
  tell(ShardFinished{source_.id.number, effect.gap.has_value()});
  co_return Turn::kEnd;
}

Status ShardReader::render(const StreamRecord& record, const std::optional<Gap>& gap) {
  item::Change change;
  change.shard = source_.id;
  change.sequence = {progress_.paged.value + in_hand_.size() + 1};
  change.source = source_of(record.sequence);
  change.kind = kind_of(record.kind);
  change.instant = record.created;
  change.body_format = item::kGuardedBodyFormat;
  PAWL_ASSIGN_OR_RETURN(change.key, item::parse_item_text(record.keys));
  if (!record.new_image.empty()) {
    PAWL_ASSIGN_OR_RETURN(change.new_image, item::parse_item_text(record.new_image));
  }
  if (!record.old_image.empty()) {
    PAWL_ASSIGN_OR_RETURN(change.old_image, item::parse_item_text(record.old_image));
  }
  InHand rendered;
  rendered.entry.version = change.version = version_of(change, table_.version_attribute);
  rendered.body = archive::render_body(table_.named.name, change);
  rendered.name = table_.names.render(table_.named, change);
  rendered.entry.sequence = change.sequence;
  rendered.entry.source = change.source;
  rendered.entry.key = std::move(change.key);
  rendered.entry.kind = change.kind;
  rendered.entry.instant = change.instant;
  rendered.entry.size = rendered.body.size();
  rendered.entry.sha256 = sha256(rendered.body);
  if (gap) rendered.entry.gap = gap->after.empty() ? gap->after : source_of(gap->after);
  in_hand_.push_back(std::move(rendered));
  return ok();
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

Awaitable<archive::PutAnswered> ShardReader::put(const archive::Put& effect) {
  std::vector<std::string> names;
  std::vector<PutRequest> requests;
  names.reserve(effect.targets.size());
  for (const auto& target : effect.targets) {
    const auto& change = in_hand_[target.sequence.value - progress_.paged.value - 1];
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
  archive::PutAnswered answer;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& target = effect.targets[i];
    auto& change = in_hand_[target.sequence.value - progress_.paged.value - 1];
    const auto outcome = results[i].outcome;
    answer.outcomes.push_back(outcome);
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
          return in_hand_[sequence.value - progress_.paged.value - 1].entry;
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
    if (change.entry.gap) ++status_.gaps;
    status_.proven = change.entry.instant;
  }
  status_.why.clear();
  co_return ok();
}

}  // namespace pawl::guard
