#include "bucket/kept_recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ledger/page_format.h"

namespace pawl::bucket {
namespace {

// So that one piece of work elsewhere ends soon, however much there is to enter.
constexpr std::uint64_t kReadAtOnceMax = 64;
constexpr std::uint64_t kBytesAtOnceMax = std::uint64_t{64} << 20;
// After a failure.
constexpr Duration kAgain = std::chrono::seconds(5);

struct Entered {
  std::string json;
  std::uint64_t bytes = 0;  // that were read
};

// What took the place of the kept object of that number, if that stands there still. The commit that kept the object has
// said so in the other's record: a digest of whatever stands under the name would be of something that came later.
Result<std::optional<ledger::ContentFacts>> successor_of(BucketStore& store,
                                                         const std::string& bucket,
                                                         const std::string& key,
                                                         std::uint64_t number) {
  const auto guard = store.guard();
  PAWL_ASSIGN_OR_RETURN(const auto there, store.object_with_body(bucket, key));
  if (!there || there->record.took_place_of != number) return std::optional<ledger::ContentFacts>();
  guard->narrow(files_of(there->pieces));
  PAWL_ASSIGN_OR_RETURN(const Digest digest, digest_of(store, there->pieces));
  return std::optional(ledger::ContentFacts{there->record.bytes, digest});
}

Result<Entered> entry_of(BucketStore& store, const std::string& bucket, std::uint64_t number) {
  const std::string key = kept_key(number);
  const auto guard = store.guard();
  PAWL_ASSIGN_OR_RETURN(const auto whole, store.object_with_body(bucket, key));
  if (!whole || !whole->record.kept) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("entering what s3://{} keeps: {} is not there", bucket, key),
                 "restore the data directory from a copy"};
  }
  guard->narrow(files_of(whole->pieces));
  PAWL_ASSIGN_OR_RETURN(const Digest digest, digest_of(store, whole->pieces));
  const KeptFrom& from = *whole->record.kept;
  ledger::KeptEntry entry{{number}, from.key, whole->record.bytes, digest,
                          key,      from.at,  from.deleted,        {}};
  if (!from.deleted) {
    PAWL_ASSIGN_OR_RETURN(entry.by, successor_of(store, bucket, from.key, number));
  }
  return Entered{ledger::encode_kept_entry(entry),
                 entry.size + (entry.by ? entry.by->size : std::uint64_t{0})};
}

// Of [first, last], as many as one piece of work is to read, and one at least.
Result<std::vector<std::string>> entries_of(BucketStore& store, const std::string& bucket,
                                            std::uint64_t first, std::uint64_t last) {
  std::vector<std::string> entries;
  std::uint64_t bytes = 0;
  for (std::uint64_t number = first; number <= last; ++number) {
    if (entries.size() >= kReadAtOnceMax || bytes >= kBytesAtOnceMax) break;
    auto entered = entry_of(store, bucket, number);
    if (!entered.ok() && entries.empty()) return entered.error();
    if (!entered.ok()) break;  // what could be read is entered first
    bytes += entered->bytes;
    entries.push_back(std::move(entered->json));
  }
  return entries;
}

}  // namespace

KeptRecorder::KeptRecorder(OwnPorts ports,
                           std::function<std::unique_ptr<LedgerStore>()> open_ledger,
                           KeptRecorderOptions options)
    : ports_(std::move(ports)),
      open_ledger_(std::move(open_ledger)),
      options_(std::move(options)),
      alarm_(ports_.clock.make_alarm()) {}

Result<Supervision> KeptRecorder::look() {
  PAWL_ASSIGN_OR_RETURN(const auto about, ports_.store.bucket(options_.bucket));
  if (!about || !about->supervised) {
    return Error{ErrorCode::kNotFound,
                 "entering what s3://" + options_.bucket + " keeps: it is not supervised",
                 {}};
  }
  const std::lock_guard lock(mutex_);
  status_.kept = about->supervised->kept_objects;
  status_.kept_bytes = about->supervised->kept_bytes;
  return *about->supervised;
}

Awaitable<Status> KeptRecorder::find_end() {
  if (ledger_) co_return ok();
  auto ledger = open_ledger_();
  const auto end = co_await ledger->end_of(ledger::kKeptChain);
  if (!end.ok()) co_return end.error();
  end_ = {};
  if (end->last_line) {
    const auto state = ledger::kept_chain_end(*end->last_line, options_.archive);
    if (!state.ok()) co_return state.error();
    end_ = *state;
  }
  ledger_ = std::move(ledger);
  co_return ok();
}

Awaitable<Result<std::vector<std::string>>> KeptRecorder::gather(std::uint64_t kept) {
  std::vector<std::string> entries;
  std::size_t bytes = 0;
  while (entries.size() < ledger::kChangesPerPageMax && bytes < ledger::kPageEntryBytesMax) {
    const std::uint64_t first = end_.last.value + entries.size() + 1;
    const std::uint64_t last =
        std::min(kept, end_.last.value + std::uint64_t{ledger::kChangesPerPageMax});
    if (first > last) break;
    std::function<Result<std::vector<std::string>>()> work =
        [&store = ports_.store, bucket = options_.bucket, first, last] {
          return entries_of(store, bucket, first, last);
        };
    auto more = co_await run_elsewhere<std::vector<std::string>>(ports_, std::move(work));
    if (!more.ok() && entries.empty()) co_return more.error();
    if (!more.ok()) break;
    for (std::string& entry : *more) {
      bytes += entry.size();
      if (bytes > ledger::kPageEntryBytesMax && !entries.empty()) break;
      entries.push_back(std::move(entry));
    }
    const std::lock_guard lock(mutex_);
    if (stopping_) break;
  }
  co_return entries;
}

Awaitable<Status> KeptRecorder::enter(std::vector<std::string> entries) {
  const auto page = ledger::next_kept_page(end_, options_.archive, entries, ports_.clock.now());
  if (!page.ok()) co_return page.error();
  const PageAppend append{ledger::kKeptChain, page->line.text};
  auto status = co_await ledger_->append({&append, 1});
  if (status.ok()) status = co_await ledger_->sync();
  if (!status.ok()) {
    // Whether it is there, the chain says, when it is opened anew.
    ledger_.reset();
    co_return status;
  }
  end_ = page->after;
  co_return ok();
}

Awaitable<Status> KeptRecorder::catch_up() {
  const auto supervision = look();
  if (!supervision.ok()) co_return supervision.error();
  auto status = co_await find_end();
  while (status.ok() && end_.last.value < supervision->kept_objects) {
    auto entries = co_await gather(supervision->kept_objects);
    if (!entries.ok()) co_return entries.error();
    status = co_await enter(*std::move(entries));
    const std::lock_guard lock(mutex_);
    if (stopping_) break;
    status_.entered = end_.last.value;
  }
  const std::lock_guard lock(mutex_);
  status_.entered = end_.last.value;
  co_return status;
}

void KeptRecorder::note(const Status& status) {
  const std::lock_guard lock(mutex_);
  status_.why = status.ok() ? std::string() : status.error().to_string();
}

Awaitable<void> KeptRecorder::run() {
  for (;;) {
    const auto status = co_await catch_up();
    note(status);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) co_return;
    }
    const Duration wait = status.ok() ? options_.page_interval : kAgain;
    co_await alarm_->wait_until(ports_.clock.monotonic() + wait);
  }
}

void KeptRecorder::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  alarm_->ring();
}

KeptStatus KeptRecorder::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace pawl::bucket
