// Pawl's own way into a bucket of its server, for what it keeps there beside the clients' objects: coroutines over the one
// writer, and over reads that wait for a disk on other threads. The ports of this folder (own_object_store.h, own_ledger_store.h,
// own_object_watch.h) stand on it.
//
// Thread use: one executor; calls may overlap on it. After a crash: what was answered as done is there, whole.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "bucket/bucket_store.h"
#include "port/clock.h"

namespace pawl::bucket {

// All must outlive who is given them, and be there until each call has returned.
struct OwnPorts {
  BucketStore& store;
  Clock& clock;
  // Runs it on a thread that may wait for the disk, or drops it (the server stops).
  std::function<void(std::function<void()>)> run_elsewhere;
  // What clients are told as the ETag of such bytes, without quotes.
  std::function<std::string(std::string_view bytes)> etag_of;
};

// Something that another thread will say, once.
template <typename T>
class Awaited {
 public:
  explicit Awaited(Clock& clock) : clock_(clock), alarm_(clock.make_alarm()) {}

  // Any thread. A second value is dropped.
  void set(T value) {
    {
      const std::lock_guard lock(mutex_);
      if (value_) return;
      value_.emplace(std::move(value));
    }
    alarm_->ring();
  }
  // Once. Who calls it holds this until it returns.
  Awaitable<T> get() {
    while (!has()) co_await alarm_->wait_until(clock_.monotonic() + kNever);
    co_return std::move(*value_);
  }

 private:
  static constexpr Duration kNever = std::chrono::hours(1);  // waits end by ringing

  bool has() {
    const std::lock_guard lock(mutex_);
    return value_.has_value();
  }

  Clock& clock_;
  std::unique_ptr<Alarm> alarm_;
  std::mutex mutex_;
  std::optional<T> value_;
};

// What `work` returns, run elsewhere; kUnavailable if it was dropped. `work` must own what it works on. (Give it a name: g++ 12
// destroys a lambda twice that is made within a co_await.)
template <typename T>
Awaitable<Result<T>> run_elsewhere(const OwnPorts& ports, std::function<Result<T>()> work) {
  // Lets go of who waits when the work is dropped.
  struct Teller {
    explicit Teller(std::shared_ptr<Awaited<Result<T>>> whose) : answer(std::move(whose)) {}
    Teller(const Teller&) = delete;
    Teller& operator=(const Teller&) = delete;
    const std::shared_ptr<Awaited<Result<T>>> answer;
    ~Teller() {
      answer->set(Error{ErrorCode::kUnavailable, "reading a bucket: the server is stopping", {}});
    }
  };
  const auto answer = std::make_shared<Awaited<Result<T>>>(ports.clock);
  auto teller = std::make_shared<Teller>(answer);
  ports.run_elsewhere(
      [teller = std::move(teller), work = std::move(work)] { teller->answer->set(work()); });
  auto result = co_await answer->get();
  co_return result;
}

struct OwnObject {
  std::string key;
  std::string_view body;  // must stay valid until the call has returned
  Digest digest;          // SHA-256 of body
  Conditions conditions;
};

// The commands that put these; bodies that are too large for the store are written to files before. A command's files are its
// own: they are removed when it is refused, and by the next start when it is never submitted.
Awaitable<Result<std::vector<PutObject>>> prepare_puts(OwnPorts ports, std::string bucket,
                                                       std::vector<OwnObject> objects);

// Submits them in order, and returns when all are answered, one outcome each. Where nobody knows whether they were done the
// process ends, and this does not return.
Awaitable<std::vector<Outcome>> commit(OwnPorts ports, std::vector<Action> actions);
// "putting s3://BUCKET/KEY: …", for people.
std::string why_not_put(const Outcome& outcome, std::string_view bucket, std::string_view key);

// The whole content; nothing if there is no such object. Errors: kInvalid if it has more than `size_max` bytes.
Awaitable<Result<std::optional<std::string>>> read_own(OwnPorts ports, std::string bucket,
                                                       std::string key, std::size_t size_max);

// For use elsewhere: reads an object's body from its beginning, in pieces of at most kReadPieceMax bytes, until `take` is false.
inline constexpr std::size_t kReadPieceMax = std::size_t{256} << 10;
Status read_pieces(BucketStore& store, const std::vector<BodyPiece>& pieces,
                   const std::function<bool(std::string_view bytes)>& take);
Result<Digest> digest_of(BucketStore& store, const std::vector<BodyPiece>& pieces);

}  // namespace pawl::bucket
