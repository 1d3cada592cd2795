#include "bucket/own_ledger_store.h"

#include <fmt/format.h>

#include <charconv>

#include "bucket/bucket_listing.h"
#include "port/ledger_volumes.h"

namespace pawl::bucket {
namespace {

Error corrupt(const std::string& key, std::string_view why) {
  return {ErrorCode::kCorrupt, fmt::format("{}: {}", key, why), "run `pawl verify` on the bucket"};
}

OwnObject object_of(std::string key, std::string_view body, Conditions conditions) {
  return {std::move(key), body, sha256(body), std::move(conditions)};
}

Error not_put(const Outcome& outcome, const std::string& bucket, std::string_view key) {
  return {ErrorCode::kUnavailable, why_not_put(outcome, bucket, key), {}};
}

}  // namespace

Status OwnLedgerStore::refuse_if_failed(std::string_view attempted) const {
  if (!failed_) return ok();
  return Error{ErrorCode::kUnavailable,
               fmt::format("{} of s3://{}: an earlier put has failed", attempted, bucket_),
               "reopen it"};
}

Error OwnLedgerStore::fenced(std::string_view key) const {
  return {
      ErrorCode::kConflict,
      fmt::format("s3://{}/{} has been written by somebody else: this one is fenced", bucket_, key),
      "only one worker may write a chain; start the server anew"};
}

Awaitable<Result<std::vector<std::string>>> OwnLedgerStore::chains() {
  std::vector<std::string> names;
  ListQuery query;
  query.prefix = ledger_volumes::kFolder;
  query.delimiter = "/";
  for (bool more = true; more;) {
    const auto page = list_objects(ports_.store.records(), bucket_, query);
    if (!page.ok()) co_return page.error();
    for (const std::string& prefix : page->prefixes) {
      std::string name = prefix.substr(ledger_volumes::kFolder.size());
      name.pop_back();
      if (ledger_volumes::is_chain_name(name)) names.push_back(std::move(name));
    }
    more = page->truncated;
    query.after = page->last;
    query.goes_on = true;
  }
  co_return names;
}

// Volumes are dense, so the last one tells how many there are; that none lacks is seen when they are read.
Result<std::uint64_t> OwnLedgerStore::count_volumes(std::string_view chain) {
  const std::string first = object_key(bucket_, ledger_volumes::folder_of(chain));
  const auto cursor = ports_.store.records().cursor(kObjects);
  cursor->seek_for_prev(behind_prefix(first));
  PAWL_TRY(cursor->status());
  if (!cursor->valid() || !cursor->key().starts_with(first)) return std::uint64_t{0};
  const std::string_view name = cursor->key().substr(first.size());
  std::uint64_t volume = 0;
  std::from_chars(name.data(), name.data() + name.size(), volume);
  if (cursor->key() != object_key(bucket_, ledger_volumes::name_of(chain, volume)))
    return corrupt(std::string(cursor->key().substr(bucket_.size() + 1)), "it is no volume");
  return volume + 1;
}

Result<OwnLedgerStore::Chain*> OwnLedgerStore::state_of(std::string_view chain) {
  const auto found = chains_.find(chain);
  if (found != chains_.end()) return &found->second;
  if (!ledger_volumes::is_chain_name(chain))
    return Error{ErrorCode::kInvalid, fmt::format("\"{}\" is not a chain's name", chain), {}};
  Chain state;
  PAWL_ASSIGN_OR_RETURN(state.volumes, count_volumes(chain));
  return &chains_.emplace(std::string(chain), std::move(state)).first->second;
}

Awaitable<Result<std::string>> OwnLedgerStore::read_volume(std::string chain,
                                                           std::uint64_t volume) {
  const std::string key = ledger_volumes::name_of(chain, volume);
  auto bytes = co_await read_own(ports_, bucket_, key, ledger_volumes::kVolumeBytesMax);
  if (!bytes.ok()) co_return bytes.error();
  if (!bytes->has_value()) co_return corrupt(key, "it is missing");
  if (!(*bytes)->ends_with('\n'))
    co_return corrupt(key, "it does not end with a whole page, which no put leaves");
  co_return **std::move(bytes);
}

Awaitable<Result<ChainEnd>> OwnLedgerStore::end_of(std::string_view chain) {
  const auto state = state_of(chain);
  if (!state.ok()) co_return state.error();
  ChainEnd end;
  if ((*state)->volumes == 0) co_return end;
  const auto bytes = co_await read_volume(std::string(chain), (*state)->volumes - 1);
  if (!bytes.ok()) co_return bytes.error();
  end.last_line = ledger_volumes::last_line(*bytes);
  co_return end;
}

Awaitable<Status> OwnLedgerStore::read(std::string_view chain,
                                       std::function<bool(std::string_view line)> visit) {
  const std::string name(chain);
  const auto state = state_of(name);
  if (!state.ok()) co_return state.error();
  const auto volumes = (*state)->volumes;
  for (std::uint64_t volume = 0; volume < volumes; ++volume) {
    const auto bytes = co_await read_volume(name, volume);
    if (!bytes.ok()) co_return bytes.error();
    if (!ledger_volumes::each_line(*bytes, visit)) co_return ok();
  }
  co_return ok();
}

Awaitable<Status> OwnLedgerStore::append(std::span<const PageAppend> pages) {
  auto refused = refuse_if_failed("appending to the ledger");
  if (!refused.ok()) co_return refused;
  for (const PageAppend& page : pages) {
    PAWL_ASSERT(!page.line.empty() && page.line.find('\n') == page.line.size() - 1);
    const auto state = state_of(page.chain);
    if (!state.ok()) {
      failed_ = true;
      co_return state.error();
    }
    Chain& chain = **state;
    if (chain.appended.empty() || chain.new_volume) chain.appended.emplace_back();
    chain.new_volume = false;
    chain.appended.back() += page.line;
  }
  co_return ok();
}

Awaitable<Status> OwnLedgerStore::start_volume(std::string_view chain) {
  auto refused = refuse_if_failed("starting a volume of the ledger");
  if (!refused.ok()) co_return refused;
  const auto state = state_of(chain);
  if (!state.ok()) co_return state.error();
  (*state)->new_volume = !(*state)->appended.empty();
  co_return ok();
}

Awaitable<Status> OwnLedgerStore::sync() {
  auto refused = refuse_if_failed("syncing the ledger");
  if (!refused.ok()) co_return refused;
  auto status = co_await put_appended();
  if (!status.ok()) {
    failed_ = true;
    co_return status;
  }
  for (auto& [name, chain] : chains_) {
    chain.volumes += chain.appended.size();
    chain.appended.clear();
  }
  co_return ok();
}

Awaitable<Status> OwnLedgerStore::put_appended() {
  std::vector<OwnObject> objects;
  for (const auto& [name, chain] : chains_) {
    for (std::size_t i = 0; i < chain.appended.size(); ++i) {
      std::string key = ledger_volumes::name_of(name, chain.volumes + i);
      if (chain.volumes + i >= ledger_volumes::kVolumesMax)
        co_return corrupt(key, "a chain has no more volumes");
      Conditions conditions;
      conditions.absent = true;
      objects.push_back(object_of(std::move(key), chain.appended[i], std::move(conditions)));
    }
  }
  if (objects.empty()) co_return ok();
  const std::string first = objects.front().key;
  auto puts = co_await prepare_puts(ports_, bucket_, std::move(objects));
  if (!puts.ok()) co_return puts.error();
  std::vector<Action> actions;
  actions.emplace_back(PutTogether{std::move(puts).value()});
  const auto outcomes = co_await commit(ports_, std::move(actions));
  if (outcomes.front().refusal == Refusal::kNone) co_return ok();
  if (outcomes.front().refusal != Refusal::kConditionFailed)
    co_return not_put(outcomes.front(), bucket_, first);
  co_return co_await compare_appended();
}

Awaitable<Status> OwnLedgerStore::compare_appended() {
  for (const auto& [name, chain] : chains_) {
    for (std::size_t i = 0; i < chain.appended.size(); ++i) {
      const std::string key = ledger_volumes::name_of(name, chain.volumes + i);
      const auto found = co_await read_own(ports_, bucket_, key, ledger_volumes::kVolumeBytesMax);
      if (!found.ok()) co_return found.error();
      if (found->value_or(std::string()) != chain.appended[i]) co_return fenced(key);
    }
  }
  co_return ok();
}

// Nothing of a failed sync is there.
Awaitable<Status> OwnLedgerStore::reopen() {
  for (auto& [name, chain] : chains_) {
    chain.appended.clear();
    chain.new_volume = false;
  }
  failed_ = false;
  co_return ok();
}

Awaitable<Status> OwnLedgerStore::cut(std::string_view /*chain*/) { co_return ok(); }

Awaitable<Result<std::optional<std::string>>> OwnLedgerStore::read_tip() {
  auto found = co_await read_own(ports_, bucket_, std::string(ledger_volumes::kTip),
                                 ledger_volumes::kTipBytesMax);
  if (!found.ok()) co_return found.error();
  tip_seen_ = true;
  tip_etag_.reset();
  if (*found) tip_etag_ = ports_.etag_of(**found);
  co_return found;
}

Awaitable<Result<std::optional<std::string>>> OwnLedgerStore::tip() {
  co_return co_await read_tip();
}

Awaitable<Status> OwnLedgerStore::put_tip(std::string_view line) {
  if (!tip_seen_) {
    const auto found = co_await read_tip();
    if (!found.ok()) co_return found.error();
  }
  Conditions conditions;
  conditions.absent = !tip_etag_.has_value();
  conditions.has_etag = tip_etag_;
  std::vector<OwnObject> objects;
  objects.push_back(object_of(std::string(ledger_volumes::kTip), line, std::move(conditions)));
  auto puts = co_await prepare_puts(ports_, bucket_, std::move(objects));
  if (!puts.ok()) co_return puts.error();
  std::vector<Action> actions;
  actions.emplace_back(std::move(puts->front()));
  const auto outcomes = co_await commit(ports_, std::move(actions));
  const Refusal refusal = outcomes.front().refusal;
  if (refusal == Refusal::kConditionFailed || refusal == Refusal::kNoSuchKey)
    co_return fenced(ledger_volumes::kTip);
  if (refusal != Refusal::kNone) co_return not_put(outcomes.front(), bucket_, ledger_volumes::kTip);
  tip_etag_ = ports_.etag_of(line);
  co_return ok();
}

}  // namespace pawl::bucket
