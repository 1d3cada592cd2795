#include "fault/memory_ledger_store.h"

namespace pawl {
namespace {

Error injected(std::string_view what) {
  return {ErrorCode::kUnavailable, std::string(what) + ": injected", "reopen the ledger"};
}

}  // namespace

void MemoryLedgerStore::Chain::take_back() {
  volumes.resize(durable.volumes);
  if (!volumes.empty()) volumes.back().resize(durable.size);
  new_volume = false;
}

std::size_t MemoryLedgerStore::Chain::unsynced_bytes() const {
  std::size_t bytes = 0;
  for (std::size_t i = durable.volumes == 0 ? 0 : durable.volumes - 1; i < volumes.size(); ++i) {
    bytes += volumes[i].size() - (i + 1 == durable.volumes ? durable.size : 0);
  }
  return bytes;
}

Status MemoryLedgerStore::refuse_if_failed() const {
  if (!failed_) return ok();
  return Error{ErrorCode::kUnavailable, "writing the ledger: an earlier write or sync has failed",
               "reopen it"};
}

Awaitable<Result<std::vector<std::string>>> MemoryLedgerStore::chains() {
  std::vector<std::string> names;
  for (const auto& [name, chain] : chains_) {
    if (!chain.volumes.empty()) names.push_back(name);
  }
  co_return names;
}

Awaitable<Result<ChainEnd>> MemoryLedgerStore::end_of(std::string_view chain) {
  ChainEnd end;
  const auto it = chains_.find(chain);
  if (it == chains_.end()) co_return end;
  const auto& volumes = it->second.volumes;
  end.volume_bytes = it->second.new_volume ? 0 : it->second.now().size;
  for (std::size_t i = volumes.size(); i > 0 && !end.last_line; --i) {
    const std::string& text = volumes[i - 1];
    const std::size_t last = text.rfind('\n');
    const std::size_t whole = last == std::string::npos ? 0 : last + 1;
    if (i == volumes.size()) {
      end.torn_bytes = text.size() - whole;
    } else if (whole != text.size()) {
      co_return Error{
          ErrorCode::kCorrupt, "reading the ledger: a volume ends in the middle of a page", {}};
    }
    if (whole == 0) continue;
    const std::size_t before = last == 0 ? std::string::npos : text.rfind('\n', last - 1);
    const std::size_t start = before == std::string::npos ? 0 : before + 1;
    end.last_line = text.substr(start, whole - start);
  }
  co_return end;
}

Awaitable<Status> MemoryLedgerStore::read(std::string_view chain,
                                          std::function<bool(std::string_view line)> visit) {
  const auto it = chains_.find(chain);
  if (it == chains_.end()) co_return ok();
  const auto& volumes = it->second.volumes;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    std::size_t start = 0;
    for (std::size_t end = volumes[i].find('\n'); end != std::string::npos;
         end = volumes[i].find('\n', start)) {
      if (!visit(std::string_view(volumes[i]).substr(start, end + 1 - start))) co_return ok();
      start = end + 1;
    }
    if (start != volumes[i].size() && i + 1 < volumes.size()) {
      co_return Error{
          ErrorCode::kCorrupt, "reading the ledger: a volume ends in the middle of a page", {}};
    }
  }
  co_return ok();
}

void MemoryLedgerStore::write(std::string_view chain, std::string_view bytes) {
  auto it = chains_.find(chain);
  if (it == chains_.end()) it = chains_.emplace(std::string(chain), Chain{}).first;
  Chain& state = it->second;
  if (state.volumes.empty() || state.new_volume) state.volumes.emplace_back();
  state.new_volume = false;
  state.volumes.back() += bytes;
}

Awaitable<Status> MemoryLedgerStore::append(std::span<const PageAppend> pages) {
  if (auto refused = refuse_if_failed(); !refused.ok()) co_return refused;
  co_await delay_.wait(plan_, FaultPoint::kLedgerDelay);
  const auto fault =
      static_cast<LedgerAppendFault>(choose(FaultPoint::kLedgerAppend, kLedgerAppendFaults));
  std::size_t bytes = 0;
  for (const PageAppend& page : pages) {
    PAWL_ASSERT(!page.line.empty() && page.line.find('\n') == page.line.size() - 1);
    bytes += page.line.size();
  }
  if (fault == LedgerAppendFault::kNothing) bytes = 0;
  if (fault == LedgerAppendFault::kPartial) bytes /= 2;
  for (const PageAppend& page : pages) {
    const std::string_view part = page.line.substr(0, bytes);
    if (!part.empty()) write(page.chain, part);
    bytes -= part.size();
  }
  if (fault == LedgerAppendFault::kNone) co_return ok();
  failed_ = true;
  co_return injected("appending to the ledger");
}

Awaitable<Status> MemoryLedgerStore::start_volume(std::string_view chain) {
  if (auto refused = refuse_if_failed(); !refused.ok()) co_return refused;
  const auto it = chains_.find(chain);
  if (it != chains_.end() && it->second.now().size > 0) it->second.new_volume = true;
  co_return ok();
}

Awaitable<Status> MemoryLedgerStore::sync() {
  if (auto refused = refuse_if_failed(); !refused.ok()) co_return refused;
  co_await delay_.wait(plan_, FaultPoint::kLedgerDelay);
  if (choose(FaultPoint::kLedgerSync, 2) != 0) {
    failed_ = true;
    co_return injected("syncing the ledger");
  }
  for (auto& [name, chain] : chains_) chain.durable = chain.now();
  co_return ok();
}

Awaitable<Status> MemoryLedgerStore::reopen() {
  for (auto& [name, chain] : chains_) chain.take_back();
  failed_ = false;
  co_return ok();
}

Awaitable<Status> MemoryLedgerStore::cut(std::string_view chain) {
  if (auto refused = refuse_if_failed(); !refused.ok()) co_return refused;
  const auto it = chains_.find(chain);
  if (it == chains_.end() || it->second.volumes.empty()) co_return ok();
  std::string& text = it->second.volumes.back();
  text.resize(text.rfind('\n') + 1);  // npos + 1 is 0
  it->second.durable = it->second.now();
  co_return ok();
}

Awaitable<Status> MemoryLedgerStore::put_tip(std::string_view line) {
  const auto fault = static_cast<LedgerTipFault>(choose(FaultPoint::kLedgerTip, kLedgerTipFaults));
  if (fault != LedgerTipFault::kNotReplaced) tip_ = std::string(line);
  if (fault != LedgerTipFault::kNone) co_return injected("replacing the tip");
  co_return ok();
}

Awaitable<Result<std::optional<std::string>>> MemoryLedgerStore::tip() { co_return tip_; }

void MemoryLedgerStore::crash() {
  for (auto& [name, chain] : chains_) {
    std::size_t unsynced = chain.unsynced_bytes();
    if (unsynced > 0) {
      const auto fault =
          static_cast<LedgerCrashFault>(choose(FaultPoint::kLedgerCrash, kLedgerCrashFaults));
      std::size_t kept = fault == LedgerCrashFault::kKept ? unsynced : 0;
      if (fault == LedgerCrashFault::kTorn) kept = (unsynced + 1) / 2;
      // The bytes survive in the order in which they were written, volume after volume.
      std::vector<std::string> before = chain.volumes;
      const End durable = chain.durable;
      chain.take_back();
      for (std::size_t i = durable.volumes == 0 ? 0 : durable.volumes - 1;
           i < before.size() && kept > 0; ++i) {
        const std::size_t from = i + 1 == durable.volumes ? durable.size : 0;
        const std::string part = before[i].substr(from, kept);
        if (i == chain.volumes.size()) chain.volumes.emplace_back();
        chain.volumes[i] += part;
        kept -= part.size();
      }
    }
    chain.new_volume = false;
    chain.durable = chain.now();
  }
  failed_ = false;
}

std::map<std::string, std::vector<std::string>, std::less<>> MemoryLedgerStore::volumes() const {
  std::map<std::string, std::vector<std::string>, std::less<>> all;
  for (const auto& [name, chain] : chains_) all.emplace(name, chain.volumes);
  return all;
}

void MemoryLedgerStore::set_volumes(const std::string& chain, std::vector<std::string> volumes) {
  Chain& state = chains_[chain];
  state.volumes = std::move(volumes);
  state.new_volume = false;
  state.durable = state.now();
}

}  // namespace pawl
