#include "pipeline/restore.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "archive/body_format.h"
#include "archive/object_body.h"
#include "ledger/line.h"
#include "pipeline/ledger_view.h"

namespace pawl::pipeline {
namespace {

constexpr std::uint64_t kItemsAProgress = 1000;

// What the ledger last says of one item.
struct Latest {
  item::Item key;
  Version version;
  item::ChangeKind kind = item::ChangeKind::kInsert;
  std::string object;
  Digest sha256;
};

// One shard of a table over all of its incarnations: its chain, and how far it counts.
struct ChainPart {
  ShardId shard;
  std::optional<SequenceNumber> until;  // the fork at which the next incarnation leaves it
};

// Oldest first. An adopted table's shards keep their numbers.
std::vector<ChainPart> parts_of(const LedgerView& view, ShardId shard) {
  std::vector<ChainPart> parts = {{shard, std::nullopt}};
  for (auto found = view.tables.find(shard.incarnation); found != view.tables.end();) {
    const auto& parent = found->second.created.parent;
    if (!parent || parts.size() > view.tables.size()) break;
    const auto fork =
        std::find_if(parent->forks.begin(), parent->forks.end(),
                     [&](const auto& one) { return one.shard.number == shard.number; });
    if (fork == parent->forks.end()) break;
    parts.push_back({fork->shard, fork->sequence});
    found = view.tables.find(parent->incarnation);
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

class Restorer {
 public:
  Restorer(ObjectStore& objects, LedgerStore& ledger, RestoreSink& sink,
           std::function<void(const RestoreReport&)> progress)
      : objects_(objects), ledger_(ledger), sink_(sink), progress_(std::move(progress)) {}

  Awaitable<Result<RestoreReport>> run() {
    const auto view = co_await read_root_chain(ledger_);
    if (!view.ok()) co_return view.error();
    if (view->archive.empty()) {
      co_return Error{ErrorCode::kNotFound,
                      "the archive has no root chain, so there is nothing to restore from",
                      "is this the archive's directory?"};
    }
    if (!view->guarded.empty()) co_return guarded_table(view->guarded.begin()->second);
    const auto chains = co_await ledger_.chains();
    if (!chains.ok()) co_return chains.error();
    chains_ = *chains;
    for (const auto& [incarnation, table] : view->tables) {
      if (!table.open()) continue;
      const auto status = co_await restore_table(*view, table);
      if (!status.ok()) co_return status.error();
    }
    const auto status = sink_.finish();
    if (!status.ok()) co_return status.error();
    if (progress_) progress_(report_);
    co_return report_;
  }

 private:
  using Items = std::map<std::string, Latest>;

  Awaitable<Status> restore_table(const LedgerView& view, const LedgerTable& entry) {
    const auto parsed = parse_definition(entry.created.table, entry.created.definition);
    if (!parsed.ok()) co_return parsed.error();
    RecordedTable table;
    table.incarnation = entry.created.incarnation;
    table.definition = parsed->definition;
    table.shards = entry.created.shards;
    table.created = parsed->created;
    for (const auto shard : table.shards) {
      const auto status = co_await restore_shard(view, table, shard);
      if (!status.ok()) co_return status;
    }
    ++report_.tables;
    co_return sink_.table(table);
  }

  Awaitable<Status> restore_shard(const LedgerView& view, const RecordedTable& table,
                                  ShardId shard) {
    Items items;
    std::optional<Latest> newest;
    for (const auto& part : parts_of(view, shard)) {
      newest.reset();  // of this incarnation's own chain alone
      const auto status =
          co_await read_chain(view.archive, part, table.definition.schema, items, newest);
      if (!status.ok()) co_return status;
    }
    for (const auto& [key, latest] : items) {
      const auto status = co_await restore_item(table, latest);
      if (!status.ok()) co_return status;
    }
    if (!newest) co_return ok();
    const auto change = co_await read_change(*newest);
    if (!change.ok()) co_return change.error();
    if (change->shard != shard) co_return wrong_object(*newest, "is of another shard");
    co_return sink_.newest_change(*change);
  }

  Awaitable<Status> read_chain(std::string archive, ChainPart part, const item::KeySchema& schema,
                               Items& items, std::optional<Latest>& newest) {
    const std::string chain = part.shard.to_string();
    if (!std::binary_search(chains_.begin(), chains_.end(), chain)) co_return ok();
    ledger::ChainEndState end;
    Status failure = ok();
    const auto visit = [&](std::string_view text) {
      failure = take_page(archive, part, schema, text, end, items, newest);
      return failure.ok();
    };
    const auto status = co_await ledger_.read(chain, visit);
    if (!status.ok()) co_return status;
    if (!failure.ok()) co_return failure;
    const auto torn = co_await ledger_.end_of(chain);
    if (!torn.ok()) co_return torn.error();
    report_.unsealed += torn->torn_bytes;
    co_return ok();
  }

  Status take_page(const std::string& archive, const ChainPart& part, const item::KeySchema& schema,
                   std::string_view text, ledger::ChainEndState& end, Items& items,
                   std::optional<Latest>& newest) {
    PAWL_ASSIGN_OR_RETURN(const auto line, ledger::parse_line(text));
    PAWL_ASSIGN_OR_RETURN(auto page, ledger::parse_page(line.json));
    if (page.archive != archive || page.shard != part.shard) {
      return Error{ErrorCode::kCorrupt,
                   "chain " + part.shard.to_string() + " holds a page of another one",
                   "run `pawl verify` on the archive"};
    }
    PAWL_TRY(ledger::follow(end, page, line.digest));
    for (auto& entry : page.entries) {
      if (!entry.version || !entry.source.empty()) {
        return Error{ErrorCode::kCorrupt,
                     "chain " + part.shard.to_string() + " holds a change of a guarded table",
                     "run `pawl verify` on the archive"};
      }
      if (part.until && entry.sequence > *part.until) continue;
      ++report_.changes;
      auto key = item::key_of(schema, entry.key);
      if (!key.ok()) {
        return Error{
            ErrorCode::kCorrupt,
            "a page names an item by a key that its table can't have: " + key.error().message,
            "run `pawl verify` on the archive"};
      }
      Latest latest{entry.key, *entry.version, entry.kind, std::move(entry.object), entry.sha256};
      newest = latest;
      items[item::encode_key(schema, *key)] = std::move(latest);
    }
    return ok();
  }

  Awaitable<Status> restore_item(const RecordedTable& table, const Latest& latest) {
    Status status = ok();
    if (latest.kind == item::ChangeKind::kRemove) {
      ++report_.removed_items;
      status = sink_.removed_item(table.incarnation, table.definition.schema, latest.version,
                                  latest.key);
    } else {
      const auto change = co_await read_change(latest);
      if (!change.ok()) co_return change.error();
      if (change->version != latest.version || !change->new_image) {
        co_return wrong_object(latest, "is another version than its page says");
      }
      ++report_.items;
      status = sink_.item(table.incarnation, table.definition.schema, latest.version,
                          *change->new_image);
    }
    if (progress_ && (report_.items + report_.removed_items) % kItemsAProgress == 0)
      progress_(report_);
    co_return status;
  }

  Awaitable<Result<item::Change>> read_change(const Latest& latest) {
    const auto body = co_await objects_.get(latest.object, archive::kBodyBytesMax);
    if (!body.ok()) co_return body.error();
    if (!body->has_value()) co_return wrong_object(latest, "is missing");
    if (sha256(**body) != latest.sha256) co_return wrong_object(latest, "was altered");
    auto parsed = archive::parse_body(**body);
    if (!parsed.ok()) co_return parsed.error();
    if (parsed->change.guarded()) co_return wrong_object(latest, "is of a guarded table");
    co_return std::move(parsed->change);
  }

  static Error guarded_table(const std::string& name) {
    return Error{ErrorCode::kInvalid,
                 "the archive holds table '" + name +
                     "', which somebody else keeps and Pawl only guards: it can't become a table "
                     "of Pawl's own",
                 "restore it where it lives, with its own backups; `pawl history --at` shows what "
                 "each item was, to be "
                 "put back through the table's own API"};
  }

  static Error wrong_object(const Latest& latest, std::string_view why) {
    return Error{ErrorCode::kCorrupt, "object '" + latest.object + "' " + std::string(why),
                 "run `pawl verify` on the archive"};
  }

  ObjectStore& objects_;
  LedgerStore& ledger_;
  RestoreSink& sink_;
  std::function<void(const RestoreReport&)> progress_;
  std::vector<std::string> chains_;
  RestoreReport report_;
};

}  // namespace

Awaitable<Result<RestoreReport>> restore(ObjectStore& objects, LedgerStore& ledger,
                                         RestoreSink& sink,
                                         std::function<void(const RestoreReport&)> progress) {
  Restorer restorer(objects, ledger, sink, std::move(progress));
  co_return co_await restorer.run();
}

}  // namespace pawl::pipeline
