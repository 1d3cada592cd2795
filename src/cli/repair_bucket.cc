#include "cli/repair_bucket.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <utility>

#include "adapter/reading_clock.h"
#include "adapter/s3_archive.h"
#include "adapter/s3_client.h"
#include "adapter/s3_listing.h"
#include "adapter/s3_object_store.h"
#include "adapter/system_random.h"

namespace pawl::cli {
namespace {

namespace asio = boost::asio;

class S3RepairBucket final : public RepairBucket {
 public:
  explicit S3RepairBucket(std::size_t looks_max) : looks_max_(looks_max) {}

  Status connect(const S3Location& location, const std::string& endpoint) {
    SignedClientOptions options;
    options.retry = {.attempts_max = 8,
                     .backoff_first = std::chrono::milliseconds(50),
                     .backoff_last = std::chrono::seconds(5),
                     .deadline = std::chrono::seconds(90)};
    options.attempt_timeout = std::chrono::seconds(60);
    PAWL_ASSIGN_OR_RETURN(client_, S3Client::open(location, endpoint, AwsSurroundings::of_process(),
                                                  clock_, random_, options));
    store_ = std::make_unique<S3ObjectStore>(*client_);
    return ok();
  }

  Status probe() override {
    Status status = ok();
    run([&]() -> Awaitable<void> { status = co_await probe_put_if_absent(*client_); });
    if (!status.ok() && status.error().message.find("AccessDenied") != std::string::npos) {
      Error error = std::move(status).error();
      const auto& bucket = client_->location().bucket;
      error.hint = fmt::format(
          "the credentials need s3:PutObject on arn:aws:s3:::{}/{} and on "
          "arn:aws:s3:::{}/*~repaired",
          bucket, client_->location().key_of(".pawl/probe"), bucket);
      return error;
    }
    return status;
  }

  std::string put(std::vector<RepairPut>& puts) override {
    std::size_t next = 0;
    for (std::size_t i = 0; i < std::min(looks_max_, puts.size()); ++i) {
      asio::co_spawn(context_, look_at_all(puts, next),
                     [](const std::exception_ptr& failure) { PAWL_ASSERT(!failure); });
    }
    go();
    std::vector<RepairPut*> waiting;
    std::string trouble;
    bool answered = false;
    for (auto& one : puts) {
      if (one.outcome == RepairPut::Outcome::kAppeared) answered = true;
      if (one.outcome != RepairPut::Outcome::kNotPut) continue;
      if (one.why.empty()) {
        waiting.push_back(&one);
      } else if (trouble.empty()) {
        trouble = one.why;
      }
    }
    if (waiting.empty()) return answered ? std::string() : trouble;
    run([&] { return put_all(waiting, trouble); });
    return trouble;
  }

 private:
  Awaitable<void> look_at_all(std::vector<RepairPut>& puts, std::size_t& next) {
    while (next < puts.size()) co_await look(puts[next++]);
  }

  // Only a listing tells, without s3:GetObject, what is there. In byte order nothing that begins with a name stands
  // before it.
  Awaitable<void> look(RepairPut& one) {
    S3ListRequest request;
    request.prefix = client_->location().key_of(one.own_name);
    request.keys_max = 1;
    const auto own = request.prefix;
    one.outcome = RepairPut::Outcome::kNotPut;
    one.why.clear();
    const auto page = co_await list_objects(*client_, std::move(request));
    if (!page.ok()) {
      one.why = "looking for it once more: " + page.error().to_string();
    } else if (!page->objects.empty() && page->objects.front().key == own) {
      one.outcome = RepairPut::Outcome::kAppeared;
    }
  }

  // In rounds: what was not begun, because something before it was refused, is begun in the next. Sets `trouble` to the
  // first reason if nothing was put or found there.
  Awaitable<void> put_all(std::vector<RepairPut*> waiting, std::string& trouble) {
    constexpr int kFruitlessMax = 2;
    bool answered = false;
    for (int fruitless = 0; !waiting.empty() && fruitless < kFruitlessMax;) {
      std::vector<PutRequest> requests;
      requests.reserve(waiting.size());
      for (const auto* one : waiting) requests.push_back({one->name, one->body, sha256(one->body)});
      const auto results = co_await store_->put_if_absent(requests);
      std::vector<RepairPut*> next;
      ++fruitless;
      for (std::size_t i = 0; i < results.size(); ++i) {
        RepairPut& one = *waiting[i];
        one.outcome = outcome_of(results[i].outcome);
        one.why = results[i].why;
        if (one.outcome != RepairPut::Outcome::kNotPut) {
          fruitless = 0;
          answered = true;
        } else if (one.why.starts_with(kPutNotBegun)) {
          next.push_back(&one);
        } else if (trouble.empty()) {
          trouble = one.why;
        }
      }
      waiting = std::move(next);
    }
    if (answered) trouble.clear();
  }

  static RepairPut::Outcome outcome_of(PutOutcome outcome) {
    switch (outcome) {
      case PutOutcome::kStored:
        return RepairPut::Outcome::kPut;
      case PutOutcome::kAlreadyEqual:
        return RepairPut::Outcome::kAlreadyThere;
      case PutOutcome::kAlreadyDifferent:
        return RepairPut::Outcome::kTaken;
      case PutOutcome::kRefused:
      case PutOutcome::kUnknown:
        break;
    }
    return RepairPut::Outcome::kNotPut;
  }

  template <typename Work>
  void run(Work work) {
    asio::co_spawn(context_, work(),
                   [](const std::exception_ptr& failure) { PAWL_ASSERT(!failure); });
    go();
  }
  void go() {
    context_.restart();
    context_.run();
  }

  std::size_t looks_max_;
  adapter::ReadingClock clock_;
  SystemRandom random_;
  asio::io_context context_;
  std::unique_ptr<S3Client> client_;
  std::unique_ptr<S3ObjectStore> store_;
};

}  // namespace

Result<std::unique_ptr<RepairBucket>> RepairBucket::open(const S3Location& location,
                                                         const std::string& endpoint,
                                                         std::size_t looks_max) {
  auto opened = std::make_unique<S3RepairBucket>(looks_max);
  PAWL_TRY(opened->connect(location, endpoint));
  return std::unique_ptr<RepairBucket>(std::move(opened));
}

}  // namespace pawl::cli
