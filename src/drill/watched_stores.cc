#include "drill/watched_stores.h"

namespace pawl::drill {

WriteResult WatchedKeyValueStore::write(const WriteBatch& batch, Sync sync) {
  witness_.will_write(batch);
  log_.effect(sync == Sync::kYes ? "store write, synced" : "store write");
  for (const auto& entry : batch.entries()) log_.note(entry.key), log_.note(entry.value);
  WriteResult result = inner_.write(batch, sync);
  log_.note(static_cast<std::uint64_t>(result.outcome));
  log_.effect("store written");
  return result;
}

Status WatchedKeyValueStore::remove_range(KeySpace space, std::string_view from,
                                          std::string_view to) {
  witness_.will_remove(space, from, to);
  log_.effect("store removal");
  log_.note(from), log_.note(to);
  Status status = inner_.remove_range(space, from, to);
  log_.effect("store removed");
  return status;
}

Awaitable<std::vector<PutResult>> WatchedObjectStore::put_if_absent(
    std::span<const PutRequest> requests) {
  co_await stopped_.wait();
  log_.effect("put");
  for (const auto& request : requests) log_.note(request.name), log_.note(request.body);
  auto results = co_await inner_.put_if_absent(requests);
  for (const auto& result : results) log_.note(static_cast<std::uint64_t>(result.outcome));
  log_.effect("put answered");
  co_return results;
}

Awaitable<Status> WatchedObjectStore::set_aside(std::span<const std::string> names) {
  witness_.will_set_aside(names);
  log_.effect("set aside");
  for (const auto& name : names) log_.note(name);
  auto status = co_await inner_.set_aside(names);
  log_.effect("set aside answered");
  co_return status;
}

Awaitable<Status> WatchedLedgerStore::append(std::span<const PageAppend> pages) {
  log_.effect("append");
  for (const auto& page : pages) log_.note(page.chain), log_.note(page.line);
  auto status = co_await inner_.append(pages);
  log_.note(status.ok() ? 1 : 0);
  if (status.ok()) {
    for (const auto& page : pages) unsynced_.emplace_back(page.chain, page.line);
  }
  log_.effect("append answered");
  co_return status;
}

Awaitable<Status> WatchedLedgerStore::start_volume(std::string_view chain) {
  log_.effect("start volume");
  auto status = co_await inner_.start_volume(chain);
  log_.effect("start volume answered");
  co_return status;
}

Awaitable<Status> WatchedLedgerStore::sync() {
  co_await stopped_.wait();
  log_.effect("ledger sync");
  auto status = co_await inner_.sync();
  log_.note(status.ok() ? 1 : 0);
  if (status.ok()) {
    for (const auto& [chain, line] : std::exchange(unsynced_, {})) {
      ++pages_durable_[chain];
      witness_.page_durable(chain, line);
    }
  }
  log_.effect("ledger sync answered");
  co_return status;
}

Awaitable<Status> WatchedLedgerStore::reopen() {
  log_.effect("reopen");
  auto status = co_await inner_.reopen();
  if (status.ok()) unsynced_.clear();
  log_.effect("reopen answered");
  co_return status;
}

Awaitable<Status> WatchedLedgerStore::cut(std::string_view chain) {
  log_.effect("cut");
  auto status = co_await inner_.cut(chain);
  log_.effect("cut answered");
  co_return status;
}

Awaitable<Status> WatchedLedgerStore::put_tip(std::string_view line) {
  log_.effect("tip");
  log_.note(line);
  auto status = co_await inner_.put_tip(line);
  log_.effect("tip answered");
  co_return status;
}

void WatchedLedgerStore::crash() {
  inner_.crash();
  unsynced_.clear();
  for (const auto& [chain, volumes] : inner_.volumes()) {
    std::size_t pages = 0;
    for (const std::string& volume : volumes) {
      std::size_t start = 0;
      for (std::size_t end = volume.find('\n'); end != std::string::npos;
           end = volume.find('\n', start)) {
        const auto line = std::string_view(volume).substr(start, end + 1 - start);
        start = end + 1;
        if (pages++ < pages_durable_[chain]) continue;
        pages_durable_[chain] = pages;
        witness_.page_durable(chain, line);
      }
    }
    witness_.chain_found(chain, pages);
  }
}

}  // namespace pawl::drill
