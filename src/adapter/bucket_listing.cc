#include "adapter/bucket_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "adapter/key_between.h"
#include "adapter/reading_clock.h"
#include "adapter/s3_listing.h"
#include "adapter/system_random.h"

namespace pawl::adapter {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kPartsMax = 4096;
// Less than this many names that are probably left are not worth a request of their own.
constexpr double kWorthDividing = 2.0 * kS3ListMax;
constexpr std::size_t kEmptyPagesMax = 100;  // on end, of one part

// The hints of to_error() are for archives.
Error explained(Error error, const S3Location& location) {
  const auto has = [&error](std::string_view code) {
    return error.message.find(code) != std::string::npos;
  };
  if (has("NoSuchBucket")) {
    error.hint = "check the bucket's name, and the endpoint (--s3-endpoint, AWS_ENDPOINT_URL_S3)";
  } else if (has("AccessDenied")) {
    error.hint = fmt::format(
        "the credentials need s3:ListBucket on arn:aws:s3:::{}, and nothing else; where the "
        "permission is for a prefix only, list below that prefix",
        location.bucket);
  }
  return error;
}

// One listing. Its parts' coroutines run on one thread.
class Division {
 public:
  Division(S3Client& client, std::size_t requests_max, std::string prefix, std::size_t own_size,
           NameParts& parts, asio::io_context& context)
      : client_(client),
        requests_max_(requests_max),
        prefix_(std::move(prefix)),
        own_size_(own_size),
        parts_(parts),
        context_(context) {}

  Status run() {
    start({}, std::nullopt);
    context_.restart();
    context_.run();
    if (error_) return *std::move(error_);
    return ok();
  }

 private:
  // Keys here are what follows prefix_.
  struct Part {
    std::size_t number = 0;
    std::string after;                 // the first name is greater
    std::optional<std::string> until;  // the last name is not; nothing = no bound
    std::string first;                 // name that came, and
    std::string last;                  // the last; `after` before
    std::string token;
    std::size_t names = 0;
    std::size_t pages = 0;
    std::size_t empty_pages = 0;  // on end
  };

  std::string relative(std::string_view key) const {
    return prefix_.substr(own_size_) + std::string(key);
  }

  void start(std::string after, std::optional<std::string> until) {
    auto part = std::make_unique<Part>();
    part->number = begun_++;
    part->after = part->last = std::move(after);
    part->until = std::move(until);
    keep(parts_.begin(part->number, part->number == 0 ? "" : relative(part->after)));
    running_.push_back(part.get());
    asio::co_spawn(context_, read(std::move(part)),
                   [](const std::exception_ptr& failure) { PAWL_ASSERT(!failure); });
  }

  void keep(Status status) {
    if (!status.ok() && !error_) error_ = std::move(status).error();
  }

  Awaitable<void> read(std::unique_ptr<Part> part) {
    for (bool more = true; more && !error_;) {
      S3ListRequest request;
      request.prefix = prefix_;
      if (!part->after.empty()) request.start_after = prefix_ + part->after;
      request.token = part->token;
      auto page = co_await list_objects(client_, std::move(request));
      if (error_) break;
      if (!page.ok()) {
        error_ = explained(std::move(page).error(), client_.location());
        break;
      }
      ++pages_;
      const auto went_on = take(*part, *page);
      if (!went_on.ok()) {
        error_ = went_on.error();
        break;
      }
      more = *went_on;
      if (more) divide();
    }
    std::erase(running_, part.get());
    if (error_) co_return;
    keep(parts_.end(part->number, part->until ? relative(*part->until) : ""));
    divide();
  }

  // Whether the part goes on.
  Result<bool> take(Part& part, const S3ListPage& page) {
    const auto failed = [this](std::string why, const char* hint) {
      return Error{ErrorCode::kInvalid,
                   fmt::format("listing {}: {}", client_.location().to_string(), why), hint};
    };
    ++part.pages;
    part.empty_pages = page.objects.empty() ? part.empty_pages + 1 : 0;
    if (part.empty_pages > kEmptyPagesMax)
      return failed("the store answers with empty pages and no end", "");
    for (const auto& object : page.objects) {
      const std::string_view key = object.key;
      if (!key.starts_with(prefix_))
        return failed(fmt::format("the store listed \"{}\" under \"{}\"", key, prefix_), "");
      const auto name = key.substr(prefix_.size());
      if (!part.after.empty() && name <= part.after) {
        return failed(fmt::format("the store listed \"{}\" when asked for what follows \"{}{}\"",
                                  key, prefix_, part.after),
                      "it does not know start-after: try --requests 1, which does without");
      }
      if (part.until && name > *part.until) return false;
      PAWL_TRY(parts_.name(part.number, key.substr(own_size_)));
      if (part.names++ == 0) part.first = name;
      part.last = name;
    }
    part.token = page.next_token;
    return !part.token.empty();
  }

  // How many names the part probably has left: as many for the way before it as there were on the way since its first.
  static double left(const Part& part) {
    const double progress =
        key_progress(part.first, part.last,
                     part.until ? std::optional<std::string_view>(*part.until) : std::nullopt);
    if (progress <= 0) return 1e18;  // it has hardly moved
    return static_cast<double>(part.names) * (1 - progress) / progress;
  }

  // Starts more parts where more requests may be under way: as many as pages have come, so that little costs little.
  void divide() {
    while (!error_ && running_.size() < std::min(requests_max_, pages_) && begun_ < kPartsMax) {
      Part* best = nullptr;
      std::optional<std::string> cut;
      double most = kWorthDividing;
      for (Part* const part : running_) {
        if (part->names == 0 || left(*part) <= most) continue;
        auto between = key_between(
            part->last, part->until ? std::optional<std::string_view>(*part->until) : std::nullopt);
        if (!between) continue;
        best = part;
        most = left(*part);
        cut = std::move(between);
      }
      if (best == nullptr) return;
      auto until = std::exchange(best->until, cut);
      start(*std::move(cut), std::move(until));
    }
  }

  S3Client& client_;
  std::size_t requests_max_;
  std::string prefix_;
  std::size_t own_size_;  // of prefix_: what the location is called, which names don't have
  NameParts& parts_;
  asio::io_context& context_;
  std::vector<Part*> running_;
  std::size_t begun_ = 0;
  std::size_t pages_ = 0;
  std::optional<Error> error_;
};

class BucketListing final : public NameListing {
 public:
  Status open(const S3Location& location, std::string_view endpoint, const AwsSurroundings& from,
              const BucketListingOptions& options) {
    requests_max_ = std::max<std::size_t>(1, options.requests_max);
    PAWL_ASSIGN_OR_RETURN(
        client_, S3Client::open(location, endpoint, from, clock_, random_, options.client));
    return ok();
  }

  std::string describe() const override { return client_->location().to_string(); }

  Status list(std::string_view prefix, NameParts& parts) override {
    const auto own = client_->location().key_of("");
    Division division(*client_, requests_max_, own + std::string(prefix), own.size(), parts,
                      context_);
    return division.run();
  }

  Result<std::vector<std::string>> first_names(std::size_t count_max) override {
    S3ListRequest request;
    request.prefix = client_->location().key_of("");
    request.keys_max = count_max;
    std::optional<Result<S3ListPage>> page;
    const auto keep = [&]() -> Awaitable<void> {
      page.emplace(co_await list_objects(*client_, request));
    };
    asio::co_spawn(context_, keep(),
                   [](const std::exception_ptr& failure) { PAWL_ASSERT(!failure); });
    context_.restart();
    context_.run();
    if (!page->ok()) return explained(page->error(), client_->location());
    std::vector<std::string> names;
    for (const auto& object : (*page)->objects) {
      if (object.key.size() > request.prefix.size() && names.size() < count_max)
        names.push_back(object.key.substr(request.prefix.size()));
    }
    return names;
  }

 private:
  ReadingClock clock_;
  SystemRandom random_;
  asio::io_context context_;
  std::size_t requests_max_ = 1;
  std::unique_ptr<S3Client> client_;
};

}  // namespace

Result<std::unique_ptr<NameListing>> open_bucket_listing(const S3Location& location,
                                                         std::string_view endpoint,
                                                         const AwsSurroundings& from,
                                                         const BucketListingOptions& options) {
  auto listing = std::make_unique<BucketListing>();
  PAWL_TRY(listing->open(location, endpoint, from, options));
  return std::unique_ptr<NameListing>(std::move(listing));
}

}  // namespace pawl::adapter
