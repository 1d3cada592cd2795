#include "adapter/bucket_listing.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "adapter/key_between.h"
#include "adapter/s3_listing.h"

namespace pawl::adapter {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::HasSubstr;

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
    i += 2;
  }
  return out;
}

// A bucket that is listed in small pages; a thread a connection.
class ListedBucket {
 public:
  enum class Fault { kNone, kIgnoresStartAfter, kDenies, kEmptyForEver };

  ListedBucket(std::set<std::string> names, std::size_t page, Fault fault = Fault::kNone)
      : names_(std::move(names)), page_(page), fault_(fault) {
    accepting_ = std::thread([this] {
      for (;;) {
        auto socket = std::make_shared<tcp::socket>(context_);
        boost::system::error_code error;
        acceptor_.accept(*socket, error);
        if (error || stopping_) return;
        const std::lock_guard lock(mutex_);
        sockets_.push_back(socket);
        threads_.emplace_back([this, socket] { serve(*socket); });
      }
    });
  }
  ~ListedBucket() {
    stopping_ = true;
    boost::system::error_code error;
    tcp::socket(context_).connect(acceptor_.local_endpoint(), error);
    accepting_.join();
    for (const auto& socket : sockets_) socket->shutdown(tcp::socket::shutdown_both, error);
    for (auto& thread : threads_) thread.join();
  }
  ListedBucket(const ListedBucket&) = delete;
  ListedBucket& operator=(const ListedBucket&) = delete;

  std::string url() {
    return fmt::format("http://127.0.0.1:{}", acceptor_.local_endpoint().port());
  }
  int requests() const { return requests_; }
  int most_at_once() const { return most_at_once_; }

 private:
  void serve(tcp::socket& socket) {
    asio::streambuf buffer;
    boost::system::error_code error;
    while (!stopping_) {
      const auto size = asio::read_until(socket, buffer, "\r\n\r\n", error);
      if (error) return;
      std::string head(asio::buffers_begin(buffer.data()),
                       asio::buffers_begin(buffer.data()) + static_cast<std::ptrdiff_t>(size));
      buffer.consume(size);
      ++requests_;
      const int now = ++now_at_once_;
      for (int most = most_at_once_;
           now > most && !most_at_once_.compare_exchange_weak(most, now);) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --now_at_once_;
      const auto [status, body] = answer(head);
      asio::write(socket,
                  asio::buffer(fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n{}", status,
                                           body.size(), body)),
                  error);
    }
  }

  std::pair<int, std::string> answer(const std::string& head) {
    std::map<std::string, std::string> query;
    auto text = head.substr(0, head.find(" HTTP/"));
    text = text.substr(text.find('?') + 1);
    while (!text.empty()) {
      const auto pair = text.substr(0, text.find('&'));
      query[pair.substr(0, pair.find('='))] = unescaped(pair.substr(pair.find('=') + 1));
      text = pair.size() == text.size() ? "" : text.substr(pair.size() + 1);
    }
    if (fault_ == Fault::kDenies)
      return {403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"};
    std::string body = "<ListBucketResult>";
    const auto& after = query.contains("continuation-token")  ? query["continuation-token"]
                        : fault_ == Fault::kIgnoresStartAfter ? query["nothing"]
                                                              : query["start-after"];
    auto at = names_.upper_bound(after);
    std::size_t count = 0;
    std::string last = after;
    const auto most = std::min<std::size_t>(page_, std::stoul(query["max-keys"]));
    for (; at != names_.end() && count < most && fault_ != Fault::kEmptyForEver; ++at) {
      if (!at->starts_with(query["prefix"])) continue;
      body += fmt::format("<Contents><Key>{}</Key><Size>1</Size></Contents>", *at);
      last = *at;
      ++count;
    }
    const bool more = at != names_.end();
    body += fmt::format("<IsTruncated>{}</IsTruncated>", more);
    if (more)
      body += fmt::format("<NextContinuationToken>{}</NextContinuationToken>",
                          last + (last.empty() ? " " : ""));
    return {200, body + "</ListBucketResult>"};
  }

  std::set<std::string> names_;
  std::size_t page_;
  Fault fault_;
  asio::io_context context_;
  tcp::acceptor acceptor_{context_, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)};
  std::mutex mutex_;
  std::vector<std::shared_ptr<tcp::socket>> sockets_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> requests_ = 0, now_at_once_ = 0, most_at_once_ = 0;
  std::thread accepting_;
};

// Keeps what it is told, part by part, and checks that each part is in order and within its bounds.
struct Kept final : NameParts {
  struct Part {
    std::string after;
    std::string until;
    std::vector<std::string> names;
    bool ended = false;
  };
  std::map<std::size_t, Part> parts;

  Status begin(std::size_t part, std::string_view after) override {
    EXPECT_TRUE(parts.emplace(part, Part{std::string(after), {}, {}}).second);
    return ok();
  }
  Status name(std::size_t part, std::string_view name) override {
    auto& of = parts.at(part);
    EXPECT_FALSE(of.ended);
    EXPECT_GT(std::string(name), of.names.empty() ? of.after : of.names.back());
    of.names.emplace_back(name);
    return ok();
  }
  Status end(std::size_t part, std::string_view until) override {
    auto& of = parts.at(part);
    EXPECT_FALSE(std::exchange(of.ended, true));
    of.until = until;
    if (!until.empty() && !of.names.empty()) {
      EXPECT_LE(of.names.back(), of.until);
    }
    return ok();
  }

  // All names, if the parts' edges meet from the start to the end.
  std::set<std::string> all() const {
    std::map<std::string, const Part*> by_start;
    for (const auto& [number, part] : parts) {
      EXPECT_TRUE(part.ended);
      EXPECT_TRUE(by_start.emplace(part.after, &part).second);
    }
    std::set<std::string> names;
    std::string due;
    for (const auto& [after, part] : by_start) {
      EXPECT_EQ(after, due);
      due = part->until;
      for (const auto& name : part->names) EXPECT_TRUE(names.insert(name).second) << name;
    }
    EXPECT_EQ(due, "");
    return names;
  }
};

AwsSurroundings surroundings() {
  return {[](const std::string& name) -> std::optional<std::string> {
            if (name == "AWS_ACCESS_KEY_ID" || name == "AWS_SECRET_ACCESS_KEY") return "x";
            return std::nullopt;
          },
          [](const std::string&) -> Result<std::optional<std::string>> {
            return std::optional<std::string>{};
          }};
}

std::unique_ptr<NameListing> opened(ListedBucket& bucket, std::string_view url,
                                    std::size_t requests) {
  BucketListingOptions options;
  options.requests_max = requests;
  auto listing =
      open_bucket_listing(*parse_listed_s3_url(url), bucket.url(), surroundings(), options);
  EXPECT_TRUE(listing.ok()) << listing.error().to_string();
  return *std::move(listing);
}

TEST(BucketListing, DividesAndListsEachNameOnce) {
  std::set<std::string> names;
  for (int i = 0; i < 12'000; ++i)
    names.insert(fmt::format("logs/{}{:05}-{}.log", i % 3 == 0 ? "A" : "user-", i / 4, i % 4));
  for (int i = 0; i < 500; ++i) names.insert(fmt::format("logs/山田{:03}-0.log", i));
  for (const std::size_t requests : {1U, 2U, 16U}) {
    ListedBucket bucket(names, 100);
    const auto listing = opened(bucket, "s3://bucket", requests);
    Kept kept;
    const auto done = listing->list("logs/", kept);
    ASSERT_TRUE(done.ok()) << done.error().to_string();
    EXPECT_EQ(kept.all(), names);
    EXPECT_LE(bucket.most_at_once(), static_cast<int>(requests));
    // Most requests must bring names: 125 pages are needed.
    EXPECT_LT(bucket.requests(), 400) << requests;
    if (requests == 1) {
      EXPECT_EQ(kept.parts.size(), 1U);
    }
    if (requests == 16) {
      EXPECT_GT(kept.parts.size(), 8U);
      EXPECT_GT(bucket.most_at_once(), 4);
    }
  }
}

TEST(BucketListing, NamesAreRelativeToThePrefix) {
  ListedBucket bucket({"a/b/logs/x-1", "a/b/logs/y-2", "a/b/other", "a/c/logs/z-1", "a/b"}, 1);
  const auto listing = opened(bucket, "s3://bucket/a/b/", 4);
  EXPECT_EQ(listing->describe(), "s3://bucket/a/b");
  Kept kept;
  ASSERT_TRUE(listing->list("logs/", kept).ok());
  EXPECT_EQ(kept.all(), (std::set<std::string>{"logs/x-1", "logs/y-2"}));
  EXPECT_THAT(*listing->first_names(2), testing::ElementsAre("logs/x-1"));
}

TEST(BucketListing, SaysWhatIsWrong) {
  using Fault = ListedBucket::Fault;
  std::set<std::string> names;
  for (int i = 0; i < 9'000; ++i) names.insert(fmt::format("{:05}", i));
  const auto error = [&names](Fault fault, std::size_t requests) {
    ListedBucket bucket(names, 500, fault);
    Kept kept;
    const auto done = opened(bucket, "s3://bucket", requests)->list("", kept);
    return done.ok() ? std::string("done") : done.error().to_string();
  };
  EXPECT_THAT(error(Fault::kIgnoresStartAfter, 8), HasSubstr("--requests 1"));
  EXPECT_EQ(error(Fault::kIgnoresStartAfter, 1), "done");
  EXPECT_THAT(error(Fault::kDenies, 8), HasSubstr("s3:ListBucket on arn:aws:s3:::bucket"));
  EXPECT_THAT(error(Fault::kEmptyForEver, 1), HasSubstr("no end"));
}

TEST(ListedLocation, TakesAnyPrefix) {
  EXPECT_EQ(parse_listed_s3_url("s3://bucket/" + std::string(500, 'p'))->prefix.size(), 500U);
  EXPECT_EQ(parse_listed_s3_url("s3://bucket/.pawl/../x//y/")->prefix, ".pawl/../x//y");
  for (const std::string url : {"s3://b", "http://bucket", "s3://bucket/a\nb"})
    EXPECT_FALSE(parse_listed_s3_url(url).ok()) << url;
  EXPECT_FALSE(parse_listed_s3_url("s3://bucket/" + std::string(1024, 'p')).ok());
}

RC_GTEST_PROP(KeyBetween, LiesBetween, ()) {
  const auto key = [] {
    return *rc::gen::container<std::string>(
        rc::gen::element('a', 'b', 'a', '0', '9', '-', ' ', '~', '\x01', '\xE5', '\xB1'));
  };
  const auto low = key();
  const auto high = key();
  const bool bounded = *rc::gen::inRange(0, 4) > 0;
  const auto between =
      key_between(low, bounded ? std::optional<std::string_view>(high) : std::nullopt);
  if (between) {
    RC_ASSERT(*between > low);
    RC_ASSERT(!bounded || *between < high);
  }
  const auto progress = key_progress(low, key(), high);
  RC_ASSERT(progress >= 0 && progress <= 1);
}

TEST(KeyBetween, HalvesDigits) {
  EXPECT_EQ(key_between("A0", "A8"), "A4");
  EXPECT_TRUE(key_between("", std::nullopt).has_value());
  EXPECT_EQ(key_between("a", "a"), std::nullopt);
  EXPECT_EQ(key_between("山", "山 "), std::nullopt);
  EXPECT_NEAR(key_progress("A0", "A4", "A8"), 0.5, 0.01);
}

}  // namespace
}  // namespace pawl::adapter
