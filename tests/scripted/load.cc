// Measures the scripted server, on connections that stay open: one thread, as much as the server gives.
//
//   pawl_scripted_load URL list BUCKET CONNECTIONS         each connection pages through the whole bucket
//   pawl_scripted_load URL put BUCKET CONNECTIONS SECONDS  puts small objects, if absent
//   pawl_scripted_load URL records STREAM-ARN SHARDS-MAX   reads shards to their end, eight at once
//
// Prints one line of counts and rates.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using Failure = boost::system::error_code;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kAnswerMax = std::size_t{64} << 20;
constexpr std::size_t kReadBytes = std::size_t{512} << 10;
constexpr std::string_view kAuthorization =
    "Authorization: AWS4-HMAC-SHA256 Credential=load/20260101/us-east-1/s3/aws4_request\r\n";

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size()))
    ++count;
  return count;
}

// What stands between `before` and `after`; "" if it isn't there.
std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  const std::size_t start = text.find(before);
  if (start == std::string_view::npos) return "";
  text.remove_prefix(start + before.size());
  return text.substr(0, text.find(after));
}

std::string sha256_hex(std::string_view body) {
  std::string bytes(32, '\0');
  EVP_Digest(body.data(), body.size(), reinterpret_cast<unsigned char*>(bytes.data()), nullptr,
             EVP_sha256(), nullptr);
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

// One connection that sends what `next` gives it, until that is nothing. `next` gets the answer before ("" at first).
class Caller {
 public:
  using Next = std::function<std::optional<std::string>(std::string_view body)>;
  Caller(asio::io_context& context, std::uint16_t port, Next next)
      : socket_(context), next_(std::move(next)) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
    socket_.set_option(asio::ip::tcp::no_delay(true));
    step("");
  }

 private:
  void step(std::string_view body) {
    auto request = next_(body);
    if (!request) return socket_.close();
    request_ = std::move(*request);
    asio::async_write(socket_, asio::buffer(request_), [this](Failure failure, std::size_t) {
      if (failure) throw boost::system::system_error(failure);
      read();
    });
  }
  // Read by hand, because a general reader of HTTP costs more than the server that is measured.
  void read() {
    if (buffer_.size() < filled_ + kReadBytes) buffer_.resize(filled_ + kReadBytes);
    const auto room = asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_);
    socket_.async_read_some(room, [this](Failure failure, std::size_t size) {
      if (failure) throw boost::system::system_error(failure);
      filled_ += size;
      const std::string_view all(buffer_.data(), filled_);
      const std::size_t head = all.find("\r\n\r\n");
      if (head == std::string_view::npos) return read();
      const std::string_view length = between(all.substr(0, head + 2), "Content-Length: ", "\r");
      const std::size_t whole = head + 4 + (length.empty() ? 0 : std::stoull(std::string(length)));
      if (whole > kAnswerMax) throw std::runtime_error("an answer that is too long");
      if (filled_ < whole) return read();
      if (!all.starts_with("HTTP/1.1 200 ")) throw std::runtime_error(std::string(all));
      filled_ = 0;
      step(all.substr(head + 4));
    });
  }

  asio::ip::tcp::socket socket_;
  Next next_;
  std::string request_;
  std::string buffer_;
  std::size_t filled_ = 0;  // of buffer_
};

struct Tally {
  std::uint64_t requests = 0;
  std::uint64_t things = 0;
  std::uint64_t bytes = 0;
};

std::string post(std::string_view operation, const std::string& body) {
  return fmt::format(
      "POST / HTTP/1.1\r\nHost: x\r\n{}X-Amz-Target: "
      "DynamoDBStreams_20120810.{}\r\nContent-Length: {}\r\n\r\n{}",
      kAuthorization, operation, body.size(), body);
}

std::string list_request(std::string_view bucket, std::string_view token) {
  return fmt::format("GET /{}?list-type=2{}{} HTTP/1.1\r\nHost: x\r\n{}\r\n", bucket,
                     token.empty() ? "" : "&continuation-token=", token, kAuthorization);
}

Caller::Next lister(Tally& tally, const std::string& bucket) {
  return [&tally, bucket](std::string_view body) -> std::optional<std::string> {
    if (body.empty()) return list_request(bucket, "");
    ++tally.requests;
    tally.bytes += body.size();
    tally.things += std::stoull(std::string(between(body, "<KeyCount>", "<")));
    const std::string_view token = between(body.substr(0, 4096), "<NextContinuationToken>", "<");
    if (token.empty()) return std::nullopt;
    return list_request(bucket, token);
  };
}

Caller::Next putter(Tally& tally, const std::string& bucket, std::uint64_t number,
                    Steady::time_point end) {
  const std::string body(200, 'x');
  const std::string headers = fmt::format(
      "Host: x\r\n{}x-amz-content-sha256: {}\r\nIf-None-Match: *\r\nContent-Length: {}\r\n\r\n{}",
      kAuthorization, sha256_hex(body), body.size(), body);
  return [&tally, bucket, number, headers, end,
          sent = std::uint64_t{0}](std::string_view) mutable -> std::optional<std::string> {
    if (sent > 0) {
      ++tally.requests;
      ++tally.things;
    }
    if (Steady::now() >= end) return std::nullopt;
    return fmt::format("PUT /{}/logs/{:04}-{:09}.log HTTP/1.1\r\n{}", bucket, number, sent++,
                       headers);
  };
}

Caller::Next record_reader(Tally& tally, const std::string& arn, std::deque<std::string>& shards) {
  return [&tally, arn, &shards,
          first = true](std::string_view body) mutable -> std::optional<std::string> {
    const auto begin = [&]() -> std::optional<std::string> {
      if (shards.empty()) return std::nullopt;
      const std::string shard = shards.front();
      shards.pop_front();
      return post(
          "GetShardIterator",
          fmt::format(R"({{"StreamArn":"{}","ShardId":"{}","ShardIteratorType":"TRIM_HORIZON"}})",
                      arn, shard));
    };
    if (std::exchange(first, false)) return begin();
    if (const auto iterator = between(body.substr(0, 1024), R"({"ShardIterator":")", "\"");
        !iterator.empty())
      return post("GetRecords", fmt::format(R"({{"ShardIterator":"{}"}})", iterator));
    const std::size_t records = count_of(body, "\"eventID\"");
    ++tally.requests;
    tally.things += records;
    tally.bytes += body.size();
    const auto iterator = between(body.substr(0, 1024), R"("NextShardIterator":")", "\"");
    if (iterator.empty() || records == 0) return begin();
    return post("GetRecords", fmt::format(R"({{"ShardIterator":"{}"}})", iterator));
  };
}

Caller::Next describer(const std::string& arn, std::deque<std::string>& shards, std::size_t most) {
  return [arn, &shards, most](std::string_view body) -> std::optional<std::string> {
    constexpr std::string_view kShard = "{\"ShardId\":\"";
    for (std::size_t at = body.find(kShard); at != std::string_view::npos && shards.size() < most;
         at = body.find(kShard, at + 1))
      shards.emplace_back(between(body.substr(at), kShard, "\""));
    const std::string last(between(body, "\"LastEvaluatedShardId\":\"", "\""));
    if (!body.empty() && (last.empty() || shards.size() >= most)) return std::nullopt;
    const std::string after =
        last.empty() ? "" : fmt::format(R"(,"ExclusiveStartShardId":"{}")", last);
    return post("DescribeStream", fmt::format(R"({{"StreamArn":"{}"{}}})", arn, after));
  };
}

int measure(const std::vector<std::string>& words) {
  const auto port =
      static_cast<std::uint16_t>(std::stoul(words[0].substr(words[0].rfind(':') + 1)));
  const std::string& what = words[1];
  const std::size_t number = std::stoull(words[3]);
  asio::io_context context(1);
  std::vector<std::unique_ptr<Caller>> callers;
  Tally tally;
  std::deque<std::string> shards;
  if (what == "records") {
    Caller first(context, port, describer(words[2], shards, number));
    context.run();
    context.restart();
  }
  const auto started = Steady::now();
  const std::size_t connections = what == "records" ? 8 : number;
  for (std::size_t i = 0; i < connections; ++i) {
    Caller::Next next;
    if (what == "list")
      next = lister(tally, words[2]);
    else if (what == "put")
      next = putter(tally, words[2], i, started + std::chrono::seconds(std::stoull(words.at(4))));
    else
      next = record_reader(tally, words[2], shards);
    callers.push_back(std::make_unique<Caller>(context, port, std::move(next)));
  }
  context.run();
  const double seconds = std::chrono::duration<double>(Steady::now() - started).count();
  fmt::print("{}: {} requests, {} {} in {:.2f} s: {:.0f} a second, {:.0f} MB/s\n", what,
             tally.requests, tally.things,
             what == "list" ? "names" : (what == "put" ? "objects" : "records"), seconds,
             static_cast<double>(tally.things) / seconds,
             static_cast<double>(tally.bytes) / seconds / 1e6);
  return 0;
}

}  // namespace

int main(int count, char** words) try {
  const std::vector<std::string> given(words + 1, words + count);
  const bool known = given.size() >= 4 && (given[1] == "list" || given[1] == "records" ||
                                           (given[1] == "put" && given.size() == 5));
  if (!known) {
    fmt::print(stderr,
               "usage: pawl_scripted_load URL list BUCKET CONNECTIONS | put BUCKET CONNECTIONS "
               "SECONDS | records ARN SHARDS-MAX\n");
    return 2;
  }
  return measure(given);
} catch (const std::exception& error) {
  fmt::print(stderr, "pawl_scripted_load: {}\n", error.what());
  return 1;
}
