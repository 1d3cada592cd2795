#include "adapter/s3_archive_view.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>

#include "adapter/reading_clock.h"
#include "adapter/s3_archive.h"
#include "adapter/s3_listing.h"
#include "adapter/system_random.h"

namespace pawl::adapter {
namespace {

namespace asio = boost::asio;

class S3ArchiveView final : public ArchiveView {
 public:
  Status open(const S3Location& location, std::string_view endpoint, const AwsSurroundings& from) {
    PAWL_ASSIGN_OR_RETURN(client_, S3Client::open(location, endpoint, from, clock_, random_));
    PAWL_TRY(run(find_s3_archive(*client_)));
    return ok();
  }

  std::string describe() const override { return client_->location().to_string(); }

  Status list(std::string_view prefix, const std::function<bool(const Entry&)>& visit) override {
    S3ListRequest request;
    request.prefix = client_->location().key_of(prefix);
    const std::size_t own = client_->location().key_of("").size();
    do {
      PAWL_ASSIGN_OR_RETURN(const auto page, run(list_objects(*client_, request)));
      for (const auto& object : page.objects) {
        // A "folder" that a console made: an empty object whose name ends with '/'.
        if (object.key.size() <= own || object.key.ends_with('/')) continue;
        if (!object.key.starts_with(request.prefix)) {
          return Error{ErrorCode::kInvalid,
                       fmt::format("listing {}: the store listed \"{}\" under \"{}\"", describe(),
                                   object.key, request.prefix),
                       {}};
        }
        if (!visit({std::string_view(object.key).substr(own), object.size})) return ok();
      }
      request.token = page.next_token;
    } while (!request.token.empty());
    return ok();
  }

  Result<std::optional<std::string>> read(std::string_view name, std::uint64_t offset,
                                          std::size_t size_max) override {
    if (size_max == 0) return std::optional<std::string>(std::string());
    S3Request request;
    request.method = "GET";
    request.key = client_->location().key_of(name);
    request.headers = {{"Range", fmt::format("bytes={}-{}", offset, offset + size_max - 1)}};
    request.answer_bytes_max = std::max<std::size_t>(size_max, std::size_t{64} << 10);
    S3Answer answer = run(client_->call(std::move(request)));
    if (answer.absent()) return std::optional<std::string>{};
    if (answer.status == 416)
      return std::optional<std::string>(std::string());  // at or behind its end
    const bool whole = answer.status == 200;  // of an empty object, or a store that knows no ranges
    if (!answer.done() || (whole && offset > 0) || answer.reply.body.size() > size_max) {
      if (answer.done()) answer.why = "it answered with other bytes than were asked for";
      return to_read_error(answer, fmt::format("reading {}/{}", describe(), name));
    }
    return std::optional<std::string>(std::move(answer.reply.body));
  }

 private:
  template <typename T>
  T run(Awaitable<T> work) {
    std::optional<T> result;
    const auto keep = [&]() -> Awaitable<void> { result.emplace(co_await std::move(work)); };
    asio::co_spawn(context_, keep(),
                   [](const std::exception_ptr& failure) { PAWL_ASSERT(!failure); });
    context_.restart();
    context_.run();
    PAWL_ASSERT(result.has_value());
    return *std::move(result);
  }

  ReadingClock clock_;
  SystemRandom random_;
  asio::io_context context_;
  std::unique_ptr<S3Client> client_;
};

}  // namespace

Result<std::unique_ptr<ArchiveView>> open_s3_archive_view(const S3Location& location,
                                                          std::string_view endpoint,
                                                          const AwsSurroundings& from) {
  auto view = std::make_unique<S3ArchiveView>();
  PAWL_TRY(view->open(location, endpoint, from));
  return std::unique_ptr<ArchiveView>(std::move(view));
}

}  // namespace pawl::adapter
