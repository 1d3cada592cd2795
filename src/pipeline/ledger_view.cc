#include "pipeline/ledger_view.h"

#include <algorithm>
#include <utility>

#include "ledger/page_format.h"

namespace pawl::pipeline {
namespace {

using ledger::RootEvent;

// Adds one event after another to a view.
struct EventReader {
  LedgerView& view;

  void operator()(ledger::ArchiveCreated& event) const { view.public_key = event.public_key; }
  void operator()(ledger::ServerStarted& event) const {
    if (event.public_key) view.public_key = event.public_key;
  }
  void operator()(ledger::ServerStopped&) const { view.clean_stop = true; }
  void operator()(ledger::TableCreated& event) const {
    if (event.parent) {
      const auto parent = view.tables.find(event.parent->incarnation);
      if (parent != view.tables.end()) parent->second.adopted_by = event.incarnation;
    }
    view.tables[event.incarnation].created = std::move(event);
  }
  void operator()(ledger::TableDeleted& event) const {
    view.tables[event.incarnation].deleted = std::move(event);
  }
  void operator()(ledger::CounterReset& event) const {
    if (view.guarded.contains(event.incarnation)) return;  // it has that alarm too
    view.tables[event.incarnation].counter_reset = true;
  }
  void operator()(ledger::TableGuarded& event) const {
    view.guarded[event.incarnation] = std::move(event.table);
  }
  void operator()(ledger::ShardOpened&) const {}
  void operator()(ledger::ShardClosed&) const {}
  void operator()(ledger::Checkpoint&) const {}  // for the verifier; not read here
};

Status take_line(LedgerView& view, std::string_view line) {
  PAWL_ASSIGN_OR_RETURN(const auto parsed, ledger::parse_line(line));
  PAWL_ASSIGN_OR_RETURN(auto page, ledger::parse_root_page(parsed.json, ledger::Heads::kSkip));
  if (view.root.pages == 0) view.archive = page.archive;
  if (page.archive != view.archive) {
    return Error{ErrorCode::kCorrupt,
                 "the root chain holds a page of another archive, " + page.archive,
                 "run `pawl verify` on the archive"};
  }
  PAWL_TRY(ledger::follow(view.root, page, parsed.digest));
  view.clean_stop = false;
  std::visit(EventReader{view}, page.event);
  return ok();
}

}  // namespace

Awaitable<Result<LedgerView>> read_root_chain(LedgerStore& store) {
  LedgerView view;
  Status failure = ok();
  const auto visit = [&view, &failure](std::string_view line) {
    failure = take_line(view, line);
    return failure.ok();
  };
  auto chains = co_await store.chains();
  if (!chains.ok()) co_return chains.error();
  if (std::find(chains->begin(), chains->end(), ledger::kRootChain) == chains->end())
    co_return view;
  const auto status = co_await store.read(ledger::kRootChain, visit);
  if (!status.ok()) co_return status.error();
  if (!failure.ok()) co_return failure.error();
  const auto end = co_await store.end_of(ledger::kRootChain);
  if (!end.ok()) co_return end.error();
  view.root.volume_bytes = end->volume_bytes;
  view.torn_root_bytes = end->torn_bytes;
  co_return view;
}

Awaitable<Result<ShardEnd>> read_shard_end(LedgerStore& store, std::string archive, ShardId shard) {
  const std::string chain = shard.to_string();
  const auto end = co_await store.end_of(chain);
  if (!end.ok()) co_return end.error();
  ShardEnd result;
  result.torn_bytes = end->torn_bytes;
  result.chain.volume_bytes = end->volume_bytes;
  if (!end->last_line) co_return result;
  const auto line = ledger::parse_line(*end->last_line);
  if (!line.ok()) co_return line.error();
  auto page = ledger::parse_page(line->json);
  if (!page.ok()) co_return page.error();
  if (page->archive != archive || page->shard != shard) {
    co_return Error{ErrorCode::kCorrupt,
                    "the last page of chain " + chain + " belongs to another archive or chain",
                    "run `pawl verify` on the archive"};
  }
  result.chain.pages = page->page.value + 1;
  result.chain.digest = line->digest;
  result.chain.instant = page->instant;
  result.chain.last = page->last();
  result.last_page = std::move(page).value();
  co_return result;
}

}  // namespace pawl::pipeline
