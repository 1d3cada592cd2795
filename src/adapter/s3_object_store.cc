#include "adapter/s3_object_store.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <map>

#include "base/base64.h"

namespace pawl {
namespace {

namespace asio = boost::asio;

constexpr Duration kNever = std::chrono::hours(1);  // waits end by ringing

std::string checksum(const Digest& digest) {
  return to_base64({reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()});
}

}  // namespace

struct S3ObjectStore::Batch {
  std::span<const PutRequest> requests;
  std::vector<PutResult> results;
  std::size_t active = 0;
  std::string stopped;  // why the rest is not begun; "" = it is
  Alarm* finished = nullptr;
};

Awaitable<std::vector<PutResult>> S3ObjectStore::put_if_absent(
    std::span<const PutRequest> requests) {
  Batch batch;
  batch.requests = requests;
  batch.results.resize(requests.size());
  const auto alarm = client_.clock().make_alarm();
  batch.finished = alarm.get();
  // The first of each name is one wave, the second the next.
  std::vector<std::vector<std::size_t>> waves;
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto wave = seen[requests[i].name]++;
    if (wave == waves.size()) waves.emplace_back();
    waves[wave].push_back(i);
  }
  for (const auto& wave : waves) co_await put_wave(batch, wave);
  co_return std::move(batch.results);
}

Awaitable<void> S3ObjectStore::put_wave(Batch& batch, std::span<const std::size_t> wave) {
  const auto executor = co_await asio::this_coro::executor;
  std::size_t next = 0;
  for (;;) {
    while (next < wave.size() && batch.active < window_.size() && batch.stopped.empty()) {
      ++batch.active;
      asio::co_spawn(executor, put_one(batch, wave[next++]),
                     [&batch](const std::exception_ptr& failure) {
                       PAWL_ASSERT(!failure);
                       --batch.active;
                       batch.finished->ring();
                     });
    }
    if (batch.active == 0) break;
    co_await batch.finished->wait_until(client_.clock().monotonic() + kNever);
  }
  for (; next < wave.size(); ++next) {
    batch.results[wave[next]] = {PutOutcome::kRefused, std::string(kPutNotBegun) + batch.stopped};
  }
}

Awaitable<void> S3ObjectStore::put_one(Batch& batch, std::size_t index) {
  const PutRequest& put = batch.requests[index];
  S3Request request;
  request.method = "PUT";
  request.key = client_.location().key_of(put.name);
  request.headers = {{"If-None-Match", "*"}, {"x-amz-checksum-sha256", checksum(put.digest)}};
  request.body = put.body;
  request.body_digest = put.digest;
  PutResult& result = batch.results[index];
  if (request.key.size() > kS3KeyMax) {
    result = {PutOutcome::kRefused,
              "putting " + std::string(put.name) + ": its name is too long for a bucket"};
    co_return;
  }
  const S3Answer answer = co_await client_.call(std::move(request));
  if (answer.slowed) {
    window_.slow_down();
  } else {
    window_.taken();
  }
  if (answer.done()) {
    result = {PutOutcome::kStored, {}};
    co_return;
  }
  if (answer.status == 412) {
    result = co_await compare(put, answer);
    co_return;
  }
  result.outcome =
      answer.outcome == RemoteOutcome::kUnknown ? PutOutcome::kUnknown : PutOutcome::kRefused;
  result.why =
      to_error(answer, "putting " + client_.location().to_string() + "/" + std::string(put.name))
          .to_string();
  batch.stopped =
      result.why;  // the others would fare no better; the caller comes again after a while
}

// Something stands under the name. Only its bytes tell whether it is ours.
Awaitable<PutResult> S3ObjectStore::compare(const PutRequest& request, const S3Answer& refused) {
  const auto found = co_await get(request.name, request.body.size());
  if (!found.ok() && found.error().code == ErrorCode::kInvalid) {  // longer than ours
    co_return PutResult{PutOutcome::kAlreadyDifferent, {}};
  }
  if (!found.ok()) {
    const bool unknown = refused.outcome == RemoteOutcome::kUnknown;
    co_return PutResult{unknown ? PutOutcome::kUnknown : PutOutcome::kRefused,
                        "comparing what is there: " + found.error().to_string()};
  }
  if (!found->has_value()) {
    co_return PutResult{PutOutcome::kRefused,
                        "putting " + std::string(request.name) +
                            ": the store says that it is there and that it is not"};
  }
  const bool equal = sha256(**found) == request.digest;
  co_return PutResult{equal ? PutOutcome::kAlreadyEqual : PutOutcome::kAlreadyDifferent, {}};
}

Awaitable<Result<std::optional<std::string>>> S3ObjectStore::get(std::string_view name,
                                                                 std::size_t size_max) {
  S3Request request;
  request.method = "GET";
  request.key = client_.location().key_of(name);
  request.answer_bytes_max = std::max<std::size_t>(size_max, std::size_t{64} << 10);
  S3Answer answer = co_await client_.call(std::move(request));
  const bool too_large = answer.status == 200 && (answer.reply.kind == HttpReply::Kind::kTooLarge ||
                                                  answer.reply.body.size() > size_max);
  if (too_large) {
    co_return Error{ErrorCode::kInvalid,
                    "reading " + std::string(name) + ": it has more than " +
                        std::to_string(size_max) + " bytes",
                    {}};
  }
  if (answer.done()) co_return std::optional<std::string>(std::move(answer.reply.body));
  if (answer.absent()) co_return std::optional<std::string>{};
  Error error =
      to_error(answer, "reading " + client_.location().to_string() + "/" + std::string(name));
  error.code = ErrorCode::kUnavailable;  // a read changes nothing, so nothing of it is unknown
  co_return error;
}

Awaitable<Status> S3ObjectStore::set_aside(std::span<const std::string> /*names*/) {
  co_return ok();
}

Result<std::optional<std::uint64_t>> S3ObjectStore::free_bytes() {
  return std::optional<std::uint64_t>{};
}

}  // namespace pawl
