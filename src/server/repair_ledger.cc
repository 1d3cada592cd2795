#include "server/repair_ledger.h"

#include <simdjson.h>

#include "item/json_fields.h"
#include "ledger/page_format.h"

namespace pawl::server {
namespace {

// A page whose outcome is not known is put again, unchanged, so often and so long after.
constexpr int kAttempts = 10;
constexpr Duration kAgain = std::chrono::milliseconds(500);
constexpr std::size_t kDefinitionSizeMax = std::size_t{64} << 10;

Status take_definition(const std::string& definition, GuardedRoot& root) {
  simdjson::dom::parser parser;
  PAWL_ASSIGN_OR_RETURN(
      const auto object,
      item::parse_stored_object(parser, definition, kDefinitionSizeMax, "table's definition"));
  item::JsonFields fields(object, "table's definition");
  root.names = fields.text("template");
  if (const auto attribute = fields.optional_text("version_attribute"))
    root.version_attribute = std::string(*attribute);
  root.checked = fields.optional_text("objects") == "foreign";
  root.guarded = true;
  return fields.status();
}

Status take_page(std::string_view line, const std::string& archive, Incarnation table,
                 ledger::ChainEndState& end, GuardedRoot& root) {
  PAWL_ASSIGN_OR_RETURN(const auto parsed, ledger::parse_line(line));
  PAWL_ASSIGN_OR_RETURN(const auto page,
                        ledger::parse_root_page(parsed.json, ledger::Heads::kSkip));
  if (page.archive != archive) {
    return Error{ErrorCode::kCorrupt,
                 "the root chain holds a page of another archive, " + page.archive,
                 "run `pawl verify` on the archive"};
  }
  PAWL_TRY(ledger::follow(end, page, parsed.digest));
  if (const auto* guarded = std::get_if<ledger::TableGuarded>(&page.event)) {
    if (guarded->incarnation == table) return take_definition(guarded->definition, root);
  } else if (const auto* opened = std::get_if<ledger::ShardOpened>(&page.event)) {
    if (opened->incarnation == table)
      root.chains.emplace(std::pair(opened->stream, opened->source), opened->shard.number);
  } else if (const auto* closed = std::get_if<ledger::ShardClosed>(&page.event)) {
    if (closed->incarnation == table) root.closed.insert(closed->closed.shard.number);
  }
  return ok();
}

}  // namespace

Awaitable<Result<GuardedRoot>> read_guarded_root(LedgerStore& ledger, std::string archive,
                                                 Incarnation table) {
  GuardedRoot root;
  ledger::ChainEndState end;
  Status failure = ok();
  const std::string chain(ledger::kRootChain);
  const auto status = co_await ledger.read(chain, [&](std::string_view line) {
    failure = take_page(line, archive, table, end, root);
    return failure.ok();
  });
  if (!status.ok()) co_return status.error();
  if (!failure.ok()) co_return failure.error();
  co_return root;
}

Awaitable<Status> RepairChain::open() {
  const std::string chain = ShardId{table_, ledger::kRepairChain}.to_string();
  const auto end = co_await ledger_.end_of(chain);
  if (!end.ok()) co_return end.error();
  end_ = {};
  if (!end->last_line) co_return ok();
  const auto state = ledger::repair_chain_end(*end->last_line, archive_, table_);
  if (!state.ok()) co_return state.error();
  end_ = *state;
  co_return ok();
}

Awaitable<Status> RepairChain::append(std::vector<ledger::RepairEntry> entries) {
  std::vector<std::string> texts;
  texts.reserve(entries.size());
  for (const auto& entry : entries) texts.push_back(ledger::encode_repair_entry(entry));
  const auto page = ledger::next_repair_page(end_, archive_, table_, texts, clock_.now());
  if (!page.ok()) co_return page.error();
  const std::string chain = ShardId{table_, ledger::kRepairChain}.to_string();
  const PageAppend line{chain, page->line.text};
  const auto alarm = clock_.make_alarm();
  Status status = ok();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    status = co_await ledger_.append({&line, 1});
    if (status.ok()) status = co_await ledger_.sync();
    if (status.ok()) {
      end_ = page->after;
      co_return ok();
    }
    if (status.error().code == ErrorCode::kConflict) {
      co_return Error{ErrorCode::kConflict, "another `pawl guard repair` writes the repair chain",
                      "run it again when the other has ended"};
    }
    co_await alarm->wait_until(clock_.monotonic() + kAgain);
    // A failure of it shows in the next append.
    (void)co_await ledger_.reopen();
  }
  co_return status;
}

}  // namespace pawl::server
