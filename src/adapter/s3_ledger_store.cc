#include "adapter/s3_ledger_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>

#include "adapter/s3_listing.h"
#include "base/base64.h"
#include "port/ledger_volumes.h"

namespace pawl {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kPutsMax = 32;  // chains that are put at once
constexpr Duration kNever = std::chrono::hours(1);

Error corrupt(const std::string& key, std::string_view why) {
  return {ErrorCode::kCorrupt, fmt::format("{}: {}", key, why), "run `pawl verify` on the archive"};
}

Error unavailable(const S3Answer& answer, const std::string& attempted) {
  Error error = to_error(answer, attempted);
  if (error.code != ErrorCode::kUnknown) error.code = ErrorCode::kUnavailable;
  return error;
}

S3Request put_request(std::string key, std::string_view body) {
  S3Request request;
  request.method = "PUT";
  request.key = std::move(key);
  request.body = body;
  request.body_digest = sha256(body);
  const auto& digest = request.body_digest.bytes;
  request.headers = {{"x-amz-checksum-sha256",
                      to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()})}};
  return request;
}

S3Request get_request(std::string key, std::size_t size_max) {
  S3Request request;
  request.method = "GET";
  request.key = std::move(key);
  request.answer_bytes_max = size_max;
  return request;
}

// A defect of the caller (ledger_store.h, reopen()), and no reason to write two versions of one page.
Error other_pages(std::string_view chain) {
  return {ErrorCode::kConflict,
          fmt::format("chain {} is given other pages than those that may have been written", chain),
          "start the server anew"};
}

}  // namespace

struct S3LedgerStore::Sync {
  std::size_t active = 0;
  std::optional<Error> error;  // the first; a fence outweighs others
  Alarm* finished = nullptr;
};

std::string S3LedgerStore::key_of(std::string_view chain, std::uint64_t volume) const {
  return client_.location().key_of(ledger_volumes::name_of(chain, volume));
}

Status S3LedgerStore::refuse_if_failed(std::string_view attempted) const {
  if (!failed_) return ok();
  return Error{
      ErrorCode::kUnavailable,
      fmt::format("{} of {}: an earlier put has failed", attempted, client_.location().to_string()),
      "reopen it"};
}

Awaitable<Result<std::vector<std::string>>> S3LedgerStore::chains() {
  std::vector<std::string> names;
  S3ListRequest request;
  request.prefix = client_.location().key_of(ledger_volumes::kFolder);
  request.delimiter = "/";
  do {
    auto page = co_await list_objects(client_, request);
    if (!page.ok()) co_return page.error();
    for (const auto& prefix : page->prefixes) {
      if (prefix.size() <= request.prefix.size() + 1) continue;
      auto name = prefix.substr(request.prefix.size());
      name.pop_back();
      if (ledger_volumes::is_chain_name(name)) names.push_back(std::move(name));
    }
    request.token = page->next_token;
  } while (!request.token.empty());
  co_return names;
}

// Volumes are dense, so their number is found by a few listings from the middle.
Awaitable<Result<std::uint64_t>> S3LedgerStore::count_volumes(std::string chain) {
  std::uint64_t known = 0;                           // there are at least so many
  std::uint64_t none = ledger_volumes::kVolumesMax;  // nothing is listed from here on
  std::uint64_t from = 0;                            // the next look begins here
  std::uint64_t step = kS3ListMax;
  while (known < none) {
    S3ListRequest request;
    request.prefix = client_.location().key_of(ledger_volumes::folder_of(chain));
    if (from > 0) request.start_after = key_of(chain, from - 1);
    const auto page = co_await list_objects(client_, request);
    if (!page.ok()) co_return page.error();
    if (page->objects.empty()) {
      none = from;
    } else {
      if (page->objects.front().key != key_of(chain, from))
        co_return corrupt(key_of(chain, from), "it is missing, and a later volume is there");
      known = from + page->objects.size();
      if (page->objects.back().key != key_of(chain, known - 1))
        co_return corrupt(request.prefix, "its volumes are not dense");
      if (page->next_token.empty()) break;
    }
    if (none < ledger_volumes::kVolumesMax) {
      from = known + (none - known) / 2;
    } else {
      from = known + step;
      step *= 8;
      if (from >= ledger_volumes::kVolumesMax) from = known;
    }
  }
  co_return known;
}

Awaitable<Result<S3LedgerStore::Chain*>> S3LedgerStore::state_of(std::string_view chain) {
  const auto found = chains_.find(chain);
  if (found != chains_.end()) co_return &found->second;
  if (!ledger_volumes::is_chain_name(chain)) {
    co_return Error{ErrorCode::kInvalid, fmt::format("\"{}\" is not a chain's name", chain), {}};
  }
  const auto volumes = co_await count_volumes(std::string(chain));
  if (!volumes.ok()) co_return volumes.error();
  Chain state;
  state.volumes = *volumes;
  co_return &chains_.emplace(std::string(chain), std::move(state)).first->second;
}

Awaitable<Result<std::string>> S3LedgerStore::read_volume(std::string chain, std::uint64_t volume) {
  const auto key = key_of(chain, volume);
  S3Answer answer = co_await client_.call(get_request(key, ledger_volumes::kVolumeBytesMax));
  if (answer.status == 404) co_return corrupt(key, "it has gone");
  if (!answer.done()) {
    Error error = to_error(answer, "reading " + key);
    error.code = ErrorCode::kUnavailable;
    co_return error;
  }
  if (!answer.reply.body.ends_with('\n'))
    co_return corrupt(key, "it does not end with a whole page, which no upload leaves");
  co_return std::move(answer.reply.body);
}

Awaitable<Result<ChainEnd>> S3LedgerStore::end_of(std::string_view chain) {
  const auto state = co_await state_of(chain);
  if (!state.ok()) co_return state.error();
  ChainEnd end;
  if ((*state)->volumes == 0) co_return end;
  const auto bytes = co_await read_volume(std::string(chain), (*state)->volumes - 1);
  if (!bytes.ok()) co_return bytes.error();
  end.last_line = ledger_volumes::last_line(*bytes);
  co_return end;
}

Awaitable<Status> S3LedgerStore::read(std::string_view chain,
                                      std::function<bool(std::string_view line)> visit) {
  const std::string name(chain);
  const auto state = co_await state_of(name);
  if (!state.ok()) co_return state.error();
  const auto volumes = (*state)->volumes;
  for (std::uint64_t volume = 0; volume < volumes; ++volume) {
    const auto bytes = co_await read_volume(name, volume);
    if (!bytes.ok()) co_return bytes.error();
    if (!ledger_volumes::each_line(*bytes, visit)) co_return ok();
  }
  co_return ok();
}

// Pages that a failed sync was given come again, as the volumes that they were.
Status S3LedgerStore::append_to(Chain& chain, std::string_view name, std::string_view line) {
  const auto is_again = [&chain] { return chain.appended.size() <= chain.given.size(); };
  const auto is_whole = [&] {
    return is_again() &&
           chain.appended.back().size() >= chain.given[chain.appended.size() - 1].size();
  };
  if (chain.appended.empty() || is_whole() || (chain.new_volume && !is_again())) {
    chain.appended.emplace_back();
    chain.new_volume = false;
  }
  std::string& volume = chain.appended.back();
  volume += line;
  if (is_again() && !chain.given[chain.appended.size() - 1].starts_with(volume))
    return other_pages(name);
  return ok();
}

Awaitable<Status> S3LedgerStore::append(std::span<const PageAppend> pages) {
  auto refused = refuse_if_failed("appending to the ledger");
  if (!refused.ok()) co_return refused;
  for (const PageAppend& page : pages) {
    PAWL_ASSERT(!page.line.empty() && page.line.find('\n') == page.line.size() - 1);
    const auto state = co_await state_of(page.chain);
    auto appended = state.ok() ? append_to(**state, page.chain, page.line) : Status(state.error());
    if (!appended.ok()) {
      failed_ = true;
      co_return appended;
    }
  }
  co_return ok();
}

Awaitable<Status> S3LedgerStore::start_volume(std::string_view chain) {
  auto refused = refuse_if_failed("starting a volume of the ledger");
  if (!refused.ok()) co_return refused;
  const auto state = co_await state_of(chain);
  if (!state.ok()) co_return state.error();
  (*state)->new_volume = !(*state)->appended.empty();
  co_return ok();
}

Awaitable<Status> S3LedgerStore::sync() {
  auto refused = refuse_if_failed("syncing the ledger");
  if (!refused.ok()) co_return refused;
  const auto executor = co_await asio::this_coro::executor;
  const auto alarm = client_.clock().make_alarm();
  Sync sync;
  sync.finished = alarm.get();
  auto next = chains_.begin();
  for (;;) {
    for (; next != chains_.end() && sync.active < kPutsMax && !sync.error; ++next) {
      if (next->second.appended.empty()) continue;
      ++sync.active;
      asio::co_spawn(executor, sync_one(sync, next->first, next->second),
                     [&sync](const std::exception_ptr& failure) {
                       PAWL_ASSERT(!failure);
                       --sync.active;
                       sync.finished->ring();
                     });
    }
    if (sync.active == 0) break;
    co_await alarm->wait_until(client_.clock().monotonic() + kNever);
  }
  if (sync.error) {
    failed_ = true;
    co_return *sync.error;
  }
  for (auto& [name, chain] : chains_) {
    if (chain.appended.empty()) continue;
    chain.volumes += chain.put;
    chain.appended.clear();
    const auto again = std::min(chain.put, chain.given.size());
    chain.given.erase(chain.given.begin(),
                      chain.given.begin() + static_cast<std::ptrdiff_t>(again));
    chain.put = 0;
    chain.in_doubt = false;
  }
  co_return ok();
}

Awaitable<void> S3LedgerStore::sync_one(Sync& sync, const std::string& name, Chain& chain) {
  for (const auto& bytes : chain.appended) {
    const auto status = co_await put_volume(name, chain, bytes);
    if (status.ok()) {
      ++chain.put;
      continue;
    }
    if (!sync.error || status.error().code == ErrorCode::kConflict) sync.error = status.error();
    co_return;
  }
}

Awaitable<Status> S3LedgerStore::put_volume(const std::string& name, Chain& chain,
                                            const std::string& bytes) {
  const auto volume = chain.volumes + chain.put;
  const auto key = key_of(name, volume);
  if (volume >= ledger_volumes::kVolumesMax) co_return corrupt(key, "a chain has no more volumes");
  if (chain.put < chain.given.size() && chain.given[chain.put] != bytes)
    co_return other_pages(name);
  auto request = put_request(key, bytes);
  request.headers.emplace_back("If-None-Match", "*");
  const S3Answer answer = co_await client_.call(std::move(request));
  if (answer.done()) co_return ok();
  if (answer.outcome == RemoteOutcome::kUnknown) chain.in_doubt = true;
  if (answer.status != 412) co_return unavailable(answer, "putting " + key);
  const auto found = co_await read_volume(name, volume);
  if (!found.ok()) co_return found.error();
  if (*found == bytes) co_return ok();
  co_return Error{
      ErrorCode::kConflict,
      fmt::format("{} has been written by another server: this one is fenced", key),
      "only one server may write to an archive; stop the other, then start this one anew"};
}

// What was put, or may have been, stays and is told of only when it has been given again.
Awaitable<Status> S3LedgerStore::reopen() {
  for (auto& [name, chain] : chains_) {
    const auto held = chain.put + (chain.in_doubt ? 1 : 0);
    if (held > chain.given.size()) {
      chain.given.assign(chain.appended.begin(),
                         chain.appended.begin() + static_cast<std::ptrdiff_t>(held));
    }
    chain.appended.clear();
    chain.new_volume = false;
    chain.put = 0;
    chain.in_doubt = false;
  }
  failed_ = false;
  co_return ok();
}

Awaitable<Status> S3LedgerStore::cut(std::string_view /*chain*/) { co_return ok(); }

Awaitable<Result<std::optional<std::string>>> S3LedgerStore::read_tip() {
  const auto key = client_.location().key_of(ledger_volumes::kTip);
  S3Answer answer = co_await client_.call(get_request(key, ledger_volumes::kTipBytesMax));
  if (answer.status == 404) {
    tip_seen_ = true;
    tip_etag_.clear();
    co_return std::optional<std::string>{};
  }
  if (!answer.done()) {
    Error error = to_error(answer, "reading " + key);
    error.code = ErrorCode::kUnavailable;
    co_return error;
  }
  tip_etag_ = etag_for(etag_form_, answer.reply.header("etag"));
  tip_seen_ = true;
  co_return std::optional<std::string>(std::move(answer.reply.body));
}

Awaitable<Result<std::optional<std::string>>> S3LedgerStore::tip() {
  co_return co_await read_tip();
}

Awaitable<Status> S3LedgerStore::put_tip(std::string_view line) {
  const std::string wanted(line);
  if (!tip_seen_) {
    const auto found = co_await read_tip();
    if (!found.ok()) co_return found.error();
  }
  const auto key = client_.location().key_of(ledger_volumes::kTip);
  // Twice: what stands there may be our own earlier tip whose answer was lost.
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto request = put_request(key, wanted);
    if (tip_etag_.empty()) {
      request.headers.emplace_back("If-None-Match", "*");
    } else {
      request.headers.emplace_back("If-Match", tip_etag_);
    }
    const S3Answer answer = co_await client_.call(std::move(request));
    if (answer.done()) {
      tip_etag_ = etag_for(etag_form_, answer.reply.header("etag"));
      tip_seen_ = !tip_etag_.empty();
      tip_in_doubt_.clear();
      co_return ok();
    }
    if (answer.outcome == RemoteOutcome::kUnknown) tip_in_doubt_ = wanted;
    if (answer.status != 412 && answer.status != 404)
      co_return unavailable(answer, "putting " + key);
    const auto found = co_await read_tip();
    if (!found.ok()) co_return found.error();
    if (*found && **found == wanted) {
      tip_in_doubt_.clear();
      co_return ok();
    }
    if (*found && **found != tip_in_doubt_) break;
  }
  co_return Error{
      ErrorCode::kConflict,
      fmt::format("{} has been written by another server: this one is fenced", key),
      "only one server may write to an archive; stop the other, then start this one anew"};
}

}  // namespace pawl
