#include "pipeline/catalog_tables.h"

#include <mutex>
#include <utility>

namespace pawl::pipeline {
namespace {

// What the commit thread leaves for the coroutine that waits. Shared by both, whoever ends first.
struct Reply {
  explicit Reply(std::unique_ptr<Alarm> bell) : alarm(std::move(bell)) {}

  const std::unique_ptr<Alarm> alarm;
  std::mutex mutex;
  bool done = false;
  std::optional<std::string> answer;  // nothing: unknown; empty: it was done; else why not
};

}  // namespace

std::uint64_t CatalogTables::revision() {
  auto view = catalog_.view();
  if (view != seen_) {
    seen_ = std::move(view);
    ++revision_;
  }
  return revision_;
}

std::vector<RecordedTable> CatalogTables::tables() {
  // An incarnation whose changes nobody enters anywhere has nothing to wait for.
  for (const auto& [incarnation, table] : catalog_.view()->by_incarnation) {
    const auto& record = table->record;
    const bool deleted = record.state == table::TableState::kClosing;
    if (deleted && !record.definition.record.record) committer_.table_settled(incarnation);
  }
  return listed();
}

std::vector<RecordedTable> CatalogTables::listed() const {
  std::vector<RecordedTable> recorded;
  const auto view = catalog_.view();
  for (const auto& [incarnation, table] : view->by_incarnation) {
    const auto& record = table->record;
    if (!record.definition.record.record) continue;
    const bool deleted = record.state == table::TableState::kClosing;
    recorded.push_back(
        {incarnation, record.definition, table->shards(), record.created, record.parent, deleted});
  }
  return recorded;
}

Awaitable<Status> CatalogTables::closed(Incarnation incarnation) {
  committer_.table_settled(incarnation);
  co_return ok();
}

Awaitable<Status> CommandAdopt::adopt(RecordedTable table,
                                      std::map<ShardId, SequenceNumber> archived) {
  const std::string what =
      "adopting table '" + table.definition.name + "' (" + table.incarnation.to_string() + "): ";
  const auto reply = std::make_shared<Reply>(clock_.make_alarm());
  table::Command command;
  command.action = table::AdoptTable{table.incarnation, std::move(archived)};
  command.trace = "adopt";
  command.render = [](const table::Outcome& outcome) {
    if (!outcome.failure) return std::string{};
    return outcome.failure->message.empty() ? std::string("refused") : outcome.failure->message;
  };
  command.done = [reply](std::optional<std::string> answer) {
    {
      const std::lock_guard lock(reply->mutex);
      reply->done = true;
      reply->answer = std::move(answer);
    }
    reply->alarm->ring();
  };
  sink_.submit(std::move(command));
  while (true) {
    {
      const std::lock_guard lock(reply->mutex);
      if (reply->done) break;
    }
    co_await reply->alarm->wait_until(clock_.monotonic() + std::chrono::seconds(1));
  }
  if (!reply->answer) {
    co_return Error{ErrorCode::kUnknown, what + "nobody knows whether it was done",
                    "start the server again and look whether it still asks for it"};
  }
  if (reply->answer->empty()) co_return ok();
  co_return Error{ErrorCode::kUnavailable, what + *reply->answer, {}};
}

}  // namespace pawl::pipeline
