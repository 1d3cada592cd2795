#include "adapter/s3_object_watch.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <charconv>
#include <exception>
#include <optional>
#include <utility>

namespace pawl {
namespace {

namespace asio = boost::asio;

constexpr Duration kNever = std::chrono::hours(1);  // waits end by ringing

std::optional<Instant> instant_of(std::string_view header) {
  const std::string text(header.substr(0, 64));
  const auto seconds = curl_getdate(text.c_str(), nullptr);
  if (text.empty() || seconds < 0) return std::nullopt;
  return Instant{static_cast<std::int64_t>(seconds) * 1'000'000};
}

// "bytes 0-524287/1048577": the whole's size.
std::optional<std::uint64_t> size_of(std::string_view content_range) {
  const auto slash = content_range.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto digits = content_range.substr(slash + 1);
  std::uint64_t size = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  return size;
}

ObjectSeen unclear(std::string_view name, std::string_view why) {
  ObjectSeen seen;
  seen.why = fmt::format("looking for {}: {}", name, why);
  return seen;
}

}  // namespace

struct S3ObjectWatch::Batch {
  std::span<const ObjectAsk> asks;
  std::vector<ObjectSeen> seen;
  std::size_t active = 0;
};

Awaitable<std::vector<ObjectSeen>> S3ObjectWatch::look(std::span<const ObjectAsk> asks) {
  Batch batch;
  batch.asks = asks;
  batch.seen.resize(asks.size());
  const auto alarm = client_.clock().make_alarm();
  callers_.insert(alarm.get());
  const auto executor = co_await asio::this_coro::executor;
  std::size_t next = 0;
  while (next < asks.size() || batch.active > 0) {
    while (next < asks.size() && active_ < window_.size()) {
      ++active_;
      ++batch.active;
      asio::co_spawn(executor, look_at_one(batch, next++),
                     [this, &batch](const std::exception_ptr& failure) {
                       PAWL_ASSERT(!failure);
                       --active_;
                       --batch.active;
                       for (auto* caller : callers_) caller->ring();
                     });
    }
    co_await alarm->wait_until(client_.clock().monotonic() + kNever);
  }
  callers_.erase(alarm.get());
  co_return std::move(batch.seen);
}

Awaitable<void> S3ObjectWatch::look_at_one(Batch& batch, std::size_t index) {
  auto seen = co_await look_at(batch.asks[index]);
  batch.seen[index] = std::move(seen);
}

Awaitable<S3Answer> S3ObjectWatch::get(std::string_view name,
                                       std::vector<std::pair<std::string, std::string>> headers) {
  S3Request request;
  request.method = "GET";
  request.key = client_.location().key_of(name);
  request.headers = std::move(headers);
  request.answer_bytes_max = kWholeMax;
  auto answer = co_await client_.call(std::move(request));
  if (answer.slowed) {
    window_.slow_down();
  } else {
    window_.taken();
  }
  co_return answer;
}

Awaitable<ObjectSeen> S3ObjectWatch::look_at(const ObjectAsk& ask) {
  auto answer = co_await get(ask.name, {});
  ObjectSeen seen;
  seen.seen_at = instant_of(answer.reply.header("date")).value_or(client_.clock().now());
  if (answer.absent()) {
    seen.kind = ObjectSeen::Kind::kAbsent;
    co_return seen;
  }
  const bool too_large = answer.status == 200 && answer.reply.kind == HttpReply::Kind::kTooLarge;
  if (!answer.done() && !too_large) co_return unclear(ask.name, answer.why);
  const auto written = instant_of(answer.reply.header("last-modified"));
  if (!written) co_return unclear(ask.name, "the store does not say when it was written");
  seen.written_at = *written;
  if (!too_large) {
    seen.kind = ObjectSeen::Kind::kThere;
    seen.size = answer.reply.body.size();
    seen.digest = sha256(answer.reply.body);
    co_return seen;
  }
  if (seen.written_at < ask.not_before) {
    seen.kind = ObjectSeen::Kind::kThere;
    co_return seen;
  }
  std::string etag(answer.reply.header("etag"));
  auto whole = co_await read_pieces(ask, std::move(seen), std::move(etag));
  co_return whole;
}

Awaitable<ObjectSeen> S3ObjectWatch::read_pieces(const ObjectAsk& ask, ObjectSeen seen,
                                                 std::string etag) {
  if (etag.empty()) co_return unclear(ask.name, "the store gives it no ETag");
  Sha256 hash;
  std::uint64_t offset = 0;
  do {
    std::vector<std::pair<std::string, std::string>> headers;
    headers.emplace_back("Range", fmt::format("bytes={}-{}", offset, offset + kWholeMax - 1));
    headers.emplace_back("If-Match", etag_for(form_, etag));
    auto piece = co_await get(ask.name, std::move(headers));
    if (!piece.done()) co_return unclear(ask.name, piece.why);
    const auto size = size_of(piece.reply.header("content-range"));
    const auto& body = piece.reply.body;
    if (piece.status != 206 || !size || body.empty() || *size < offset + body.size())
      co_return unclear(ask.name, "the store answered with other bytes than were asked for");
    seen.size = *size;
    if (seen.size > kReadMax) {
      seen.kind = ObjectSeen::Kind::kUnwieldy;
      co_return seen;
    }
    hash.update(body);
    offset += body.size();
  } while (offset < seen.size);
  seen.kind = ObjectSeen::Kind::kThere;
  seen.digest = hash.finish();
  co_return seen;
}

}  // namespace pawl
