#include "guard/chains_reached.h"

#include <utility>
#include <vector>

#include "ledger/line.h"
#include "ledger/page_format.h"
#include "ledger/root_page.h"
#include "pipeline/ledger_view.h"

namespace pawl::guard {
namespace {

struct Chains {
  std::map<ShardId, std::string> opened;
  std::map<std::string, ChainReached> reached;
};

Status take_line(Chains& chains, std::string_view line, Incarnation incarnation) {
  PAWL_ASSIGN_OR_RETURN(const auto parsed, ledger::parse_line(line));
  PAWL_ASSIGN_OR_RETURN(const auto page,
                        ledger::parse_root_page(parsed.json, ledger::Heads::kSkip));
  if (const auto* opened = std::get_if<ledger::ShardOpened>(&page.event)) {
    if (opened->incarnation != incarnation) return ok();
    chains.opened[opened->shard] = opened->source;
    chains.reached[opened->source];
  } else if (const auto* closed = std::get_if<ledger::ShardClosed>(&page.event)) {
    const auto found = chains.opened.find(closed->closed.shard);
    if (found != chains.opened.end()) chains.reached[found->second].closed = true;
  }
  return ok();
}

}  // namespace

Awaitable<Result<std::map<std::string, ChainReached>>> read_chains_reached(
    LedgerStore& ledger, std::string archive, Incarnation incarnation) {
  Chains chains;
  Status failure = ok();
  const std::string root(ledger::kRootChain);
  const auto read = co_await ledger.read(root, [&](std::string_view line) {
    failure = take_line(chains, line, incarnation);
    return failure.ok();
  });
  if (!read.ok()) co_return read.error();
  if (!failure.ok()) co_return failure.error();
  for (const auto& [shard, id] : chains.opened) {
    auto end = co_await pipeline::read_shard_end(ledger, archive, shard);
    if (!end.ok()) co_return end.error();
    if (end->last_page) chains.reached[id].last = std::move(end->last_page->entries.back());
  }
  co_return std::move(chains.reached);
}

}  // namespace pawl::guard
