// The part of Worker that reads one shard: stream_cursor.h and archive/progress.h put together.
#include <algorithm>
#include <utility>

#include "guard/simulation_worker_test.h"

namespace pawl::guard::simulation {

namespace {
constexpr std::size_t kInFlight = 6;
}  // namespace

struct Worker::Reader {
  ShardNumber shard = 0;
  std::string source;
  std::uint64_t holder = 0;
  bool opened = false;
  std::size_t pages = 0;
  archive::Progress progress;
  StreamCursor cursor;
  std::vector<ModelEntry> in_hand;  // what progress has in flight
  std::vector<StreamRecord> answer;
  bool asking = false;   // of the cursor
  bool writing = false;  // of progress
  bool ended = false;
  std::optional<Gap> end_gap;
  bool waiting = false;
};

std::vector<ShardNumber> Worker::shards() const {
  std::vector<ShardNumber> shards;
  for (const auto& [shard, held] : membership_.held) {
    if (held.state == Membership::Hold::kHeld) shards.push_back(shard);
  }
  return shards;
}

std::string Worker::state() const {
  if (!running_) return "down";
  std::string text =
      membership_.id + " phase " + std::to_string(static_cast<int>(membership_.phase));
  if (membership_.ending) text += " ending";
  for (const auto& [shard, held] : membership_.held)
    text += " holds " + std::to_string(shard) + ":" + std::to_string(static_cast<int>(held.state));
  for (const auto& [shard, reader] : readers_) {
    text += " reads " + std::to_string(shard) + (reader->opened ? "" : " unopened") +
            (reader->asking ? " asking" : "") + (reader->writing ? " writing" : "") +
            (reader->waiting ? " waiting" : "") + (reader->ended ? " ended" : "") + " progress " +
            std::to_string(static_cast<int>(reader->progress.phase));
  }
  if (root_) {
    text += " root, to open " + std::to_string(root_->lineage.to_open.size()) +
            (root_->lineage.entering ? " entering" : "") +
            (root_->lineage.chain_known ? "" : " chain unread");
  }
  return text;
}

bool Worker::reads(ShardNumber shard) const {
  const auto reader = readers_.find(shard);
  return running_ && !paused() && may_write_shard(shard) && reader != readers_.end() &&
         reader->second->opened;
}

Worker::Work Worker::in_reader(const std::shared_ptr<Reader>& reader, Work work) {
  return in_process([this, weak = std::weak_ptr<Reader>(reader), work = std::move(work)] {
    const auto alive = weak.lock();
    if (!alive) return;
    const auto current = readers_.find(alive->shard);
    if (current != readers_.end() && current->second == alive) work();
  });
}

void Worker::open_reader(ShardNumber shard) {
  auto reader = std::make_shared<Reader>();
  reader->shard = shard;
  const auto* source = world_.ledger.source_of(shard);
  if (source == nullptr) {
    world_.outside.breaks("lineage: a shard is read that the root chain does not know");
    return;
  }
  reader->source = *source;
  reader->holder = ++world_.holders[shard];
  readers_[shard] = reader;
  auto& agenda = world_.outside.agenda;
  agenda.at(agenda.now() + world_.outside.latency(),
            in_reader(reader, [this, reader] { reader_opened(reader); }));
}

// From the end of the chain, the only checkpoint. Also after a page put that was unknown or met another's page.
void Worker::reader_opened(const std::shared_ptr<Reader>& reader) {
  const auto& chain = world_.ledger.chain(reader->shard);
  reader->opened = true;
  reader->pages = chain.pages.size();
  reader->progress = archive::Progress::after_start({chain.last_number}, kInFlight);
  reader->in_hand.clear();
  reader->answer.clear();
  reader->asking = reader->writing = reader->ended = reader->waiting = false;
  const auto* shard = world_.stream.find(reader->source);
  const bool overdue = world_.outside.agenda.now() - shard->created > kModelRetention / 2;
  const auto last_read = reader->cursor.position;
  reader->cursor = chain.last_source == 0 ? StreamCursor::from_oldest(overdue)
                                          : StreamCursor::after(std::to_string(chain.last_source));
  if (world_.bug == Bug::kGoesOnAfterLastRead &&
      sequence_before(reader->cursor.position, last_read))
    reader->cursor = StreamCursor::after(last_read);
  pump(reader);
}

// Whatever can be begun now.
void Worker::pump(const std::shared_ptr<Reader>& reader) {
  if (!reader->opened || reader->asking || reader->writing || reader->waiting) return;
  auto& progress = reader->progress;
  if (progress.phase != archive::Progress::Phase::kOpen) return;
  if (!progress.in_flight.empty()) {  // something failed: again, when its time has come
    if (progress.retry_at <= clock()) return give_progress(reader, archive::Taken{0});
    reader->waiting = true;
    at(progress.retry_at, in_reader(reader, [this, reader] {
         reader->waiting = false;
         pump(reader);
       }));
    return;
  }
  if (reader->ended) {
    const ShardFinished finished{reader->shard, reader->end_gap.has_value()};
    readers_.erase(reader->shard);
    give(finished);
    return;
  }
  give(RoundEnded{reader->shard});  // may drop the reader
  const auto current = readers_.find(reader->shard);
  if (current == readers_.end() || current->second != reader) return;
  reader->asking = true;
  give_cursor(reader, ReadMore{progress.room()});
}

void Worker::give_cursor(const std::shared_ptr<Reader>& reader, const CursorEvent& event) {
  auto& agenda = world_.outside.agenda;
  const auto later = [&](Work work) {
    agenda.at(agenda.now() + world_.outside.latency(), in_reader(reader, std::move(work)));
  };
  for (const auto& effect : step(reader->cursor, event, clock())) {
    if (const auto* iterator = std::get_if<AskIterator>(&effect)) {
      later([this, reader, position = iterator->position] {
        auto got = world_.stream.iterator(reader->source, position);
        if (!got.ok()) return give_cursor(reader, StreamFailed{got.error().kind});
        give_cursor(reader, IteratorGot{std::move(*got)});
      });
    } else if (const auto* records = std::get_if<AskRecords>(&effect)) {
      later([this, reader, ask = *records] {
        auto got = world_.stream.records(ask.iterator, ask.count_max);
        if (!got.ok()) return give_cursor(reader, StreamFailed{got.error().kind});
        RecordsGot answer{{}, got->next_iterator};
        for (const auto& record : got->records) answer.sequences.push_back(record.sequence);
        reader->answer = std::move(got->records);
        give_cursor(reader, answer);
      });
    } else if (const auto* wait = std::get_if<WaitUntil>(&effect)) {
      reader->asking = false;
      reader->waiting = true;
      at(wait->when, in_reader(reader, [this, reader] {
           reader->waiting = false;
           pump(reader);
         }));
    } else if (const auto* taken = std::get_if<TakeRecords>(&effect)) {
      reader->asking = false;
      take(reader, *taken);
    } else if (const auto* ended = std::get_if<ShardEnded>(&effect)) {
      reader->asking = false;
      reader->ended = true;
      reader->end_gap = ended->gap;
      if (world_.bug == Bug::kForgetsGaps) reader->end_gap.reset();
      agenda.at(agenda.now(), in_reader(reader, [this, reader] { pump(reader); }));
    } else {
      world_.outside.breaks("stream: " + std::get<CursorProblem>(effect).what);
    }
  }
}

void Worker::take(const std::shared_ptr<Reader>& reader, const TakeRecords& take) {
  const auto* shard = world_.stream.find(reader->source);
  auto number = reader->progress.read().value;
  for (std::size_t i = 0; i < take.count; ++i) {
    const auto sequence = std::stoull(reader->answer[take.first + i].sequence);
    const auto record = std::lower_bound(
        shard->records.begin(), shard->records.end(), sequence,
        [](const Record& one, std::uint64_t value) { return one.sequence < value; });
    ModelEntry entry{++number, *record, 0, {}};
    if (i == 0 && world_.bug != Bug::kForgetsGaps) entry.gap = take.gap;
    reader->in_hand.push_back(std::move(entry));
  }
  give_progress(reader, archive::Taken{take.count});
}

void Worker::give_progress(const std::shared_ptr<Reader>& reader,
                           const archive::ProgressEvent& event) {
  reader->writing = false;
  for (const auto& effect : step(reader->progress, event, clock())) {
    if (std::holds_alternative<archive::SetAside>(effect)) {
      reader->writing = true;  // a bucket has nothing to set aside
      world_.outside.agenda.at(world_.outside.agenda.now(), in_reader(reader, [this, reader] {
                                 give_progress(reader, archive::SetAsideAnswered{true});
                               }));
    } else if (const auto* put = std::get_if<archive::Put>(&effect)) {
      put_objects(reader, *put);
    } else if (const auto* page = std::get_if<archive::WritePage>(&effect)) {
      write_page(reader, page->last.value - page->first.value + 1);
    } else if (std::holds_alternative<archive::ReopenLedger>(effect)) {
      reader->writing = true;
      world_.outside.agenda.at(world_.outside.agenda.now(), in_reader(reader, [this, reader] {
                                 give_progress(reader, archive::LedgerReopened{true});
                               }));
    }
  }
  if (!reader->writing) pump(reader);
}

void Worker::put_objects(const std::shared_ptr<Reader>& reader, const archive::Put& put) {
  if (!may_write_shard(reader->shard)) return;  // and so the reader is about to be dropped
  reader->writing = true;
  std::vector<ObjectModel::Object> objects;
  for (const auto& target : put.targets) {
    auto& entry = reader->in_hand[target.sequence.value - reader->progress.paged.value - 1];
    entry.attempt = target.attempt;
    objects.push_back({entry.record.sequence, target.attempt, entry.number});
  }
  world_.objects.put(std::move(objects), [this, reader, process = process_](auto outcomes) {
    if (process != process_) return;
    in_reader(reader, [this, reader, outcomes = std::move(outcomes)] {
      give_progress(reader, archive::PutAnswered{outcomes});
    })();
  });
}

// Checker: whoever begins a page is alone in being allowed to.
void Worker::check_alone(ShardNumber shard) const {
  for (const auto& other : world_.workers) {
    if (other.get() != this && other->running() && other->may_write_shard(shard))
      world_.outside.breaks("fencing: two may write shard " + std::to_string(shard));
  }
}

void Worker::write_page(const std::shared_ptr<Reader>& reader, std::size_t count) {
  if (!may_write_shard(reader->shard)) return;
  check_alone(reader->shard);
  reader->writing = true;
  ModelPage page;
  page.holder = reader->holder;
  page.entries.assign(reader->in_hand.begin(),
                      reader->in_hand.begin() + static_cast<std::ptrdiff_t>(count));
  world_.ledger.put_page(
      reader->shard, reader->pages, std::move(page),
      [this, reader, count, process = process_](PagePut put) {
        if (process != process_) return;
        in_reader(reader, [this, reader, count, put] { page_put(reader, count, put); })();
      });
}

void Worker::page_put(const std::shared_ptr<Reader>& reader, std::size_t count, PagePut put) {
  reader->writing = false;
  if (put == PagePut::kStored) {
    ++reader->pages;
    reader->in_hand.erase(reader->in_hand.begin(),
                          reader->in_hand.begin() + static_cast<std::ptrdiff_t>(count));
    return give_progress(reader, archive::PageAnswered{true});
  }
  // The chain's end says what is so. If it is as it was, the very same page is tried again.
  auto& agenda = world_.outside.agenda;
  reader->writing = true;
  agenda.at(agenda.now() + world_.outside.latency(), in_reader(reader, [this, reader] {
              reader->writing = false;
              if (world_.ledger.chain(reader->shard).pages.size() != reader->pages)
                return reader_opened(reader);
              give_progress(reader, archive::PageAnswered{false});
            }));
}

}  // namespace pawl::guard::simulation
