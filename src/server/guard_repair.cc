#include "server/guard_repair.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "adapter/dynamodb_client.h"
#include "adapter/dynamodb_source_table.h"
#include "adapter/dynamodb_table_stream.h"
#include "adapter/ed25519_check.h"
#include "adapter/reading_clock.h"
#include "adapter/s3_archive.h"
#include "adapter/s3_client.h"
#include "adapter/s3_ledger_store.h"
#include "adapter/s3_object_store.h"
#include "adapter/system_random.h"
#include "audit/body_facts.h"
#include "audit/table_search.h"
#include "guard/guard_ports.h"
#include "item/dynamodb_json.h"
#include "item/source_number.h"
#include "server/repair_holes.h"
#include "server/run_to_end.h"

namespace pawl::server {
namespace {

constexpr std::uint32_t kScanSegments = 4;
constexpr std::uint32_t kStreamWorkers = 16;
constexpr std::size_t kEmptyPagesMax = 10'000;  // of a scan, on end
// Items whose changes are still in the stream are remembered by digest. More than that, and the guard is hours behind.
constexpr std::size_t kPendingMax = 500'000;

}  // namespace

struct GuardRepair::Parts {
  GuardRepairConfig config;
  adapter::ReadingClock clock;
  SystemRandom random;
  boost::asio::io_context context;
  std::unique_ptr<DynamoDbClient> dynamodb;
  std::unique_ptr<S3Client> bucket;
  std::unique_ptr<DynamoDbTableStream> stream;
  std::unique_ptr<DynamoDbSourceTable> table;
  std::unique_ptr<S3LedgerStore> ledger;
  SourceTableFacts facts;
  GuardedRoot root;
  std::string archive_id;
  Incarnation incarnation;
  item::KeySchema schema;
  std::unique_ptr<RepairChain> chain;
  std::unique_ptr<audit::LossFinder> finder;
  std::map<std::uint32_t, std::string> last_source;  // by chain
  std::set<Digest> pending;

  Status open();
  Status look_at_archive();
  Status read_ledger(const Hooks& hooks);
  Status read_chains(ArchiveView& archive, const audit::RootFacts& root_facts,
                     audit::Report& report, const Hooks& hooks);
  Awaitable<Status> scan(std::uint32_t segment, const Hooks& hooks);
  Status add_item(const std::string& text);
  Status read_stream(const std::string& arn, const Hooks& hooks);
  StreamPosition position_in(const std::string& arn, const std::string& shard) const;
  Status take_pending(const StreamRecord& record);
  Result<RepairedTable> repaired_table();
};

Status GuardRepair::Parts::open() {
  if (!config.archive.in_bucket()) {
    return Error{ErrorCode::kInvalid,
                 fmt::format("a guard's archive is a bucket, and {} is none", config.archive.where),
                 "give --archive s3://BUCKET/PREFIX"};
  }
  const auto from = AwsSurroundings::of_process();
  SignedClientOptions options;
  options.retry.attempts_max = 8;
  options.retry.deadline = std::chrono::seconds(60);
  PAWL_ASSIGN_OR_RETURN(
      dynamodb, DynamoDbClient::open(config.dynamodb_endpoint, from, clock, random, options));
  PAWL_ASSIGN_OR_RETURN(const auto location, parse_s3_url(config.archive.where));
  PAWL_ASSIGN_OR_RETURN(
      bucket, S3Client::open(location, config.archive.s3_endpoint, from, clock, random, options));
  stream = std::make_unique<DynamoDbTableStream>(*dynamodb);
  table = std::make_unique<DynamoDbSourceTable>(*dynamodb, config.table);
  return ok();
}

// Whose archive it is; that its store keeps what is there, unless nothing is to be put.
Status GuardRepair::Parts::look_at_archive() {
  PAWL_ASSIGN_OR_RETURN(facts, run_to_end(context, table->describe()));
  PAWL_ASSIGN_OR_RETURN(schema, guard::key_schema_of(facts));
  incarnation = guard::guarded_incarnation(facts);
  PAWL_ASSIGN_OR_RETURN(const auto found, run_to_end(context, find_s3_archive(*bucket)));
  archive_id = fmt::format("{:016x}", found.id);
  auto etag_form = found.etag_form;
  if (!config.plan) {
    PAWL_ASSIGN_OR_RETURN(const auto probe, run_to_end(context, probe_s3_archive(*bucket)));
    etag_form = probe.etag_form;
  }
  ledger = std::make_unique<S3LedgerStore>(*bucket, etag_form);
  PAWL_ASSIGN_OR_RETURN(root,
                        run_to_end(context, read_guarded_root(*ledger, archive_id, incarnation)));
  if (!root.guarded) {
    return Error{ErrorCode::kInvalid,
                 fmt::format("{} guards no table {} of this life ({})", config.archive.where,
                             config.table, incarnation.to_string()),
                 "give the archive that `pawl guard record` writes; a table that was created anew "
                 "is another"};
  }
  if (root.checked) {
    return Error{ErrorCode::kInvalid,
                 fmt::format("the objects of table {} are somebody else's (`pawl guard check`)",
                             config.table),
                 "use `pawl repair s3://BUCKET --name TEMPLATE --table TABLE`"};
  }
  return ok();
}

Status GuardRepair::Parts::read_ledger(const Hooks& hooks) {
  chain = std::make_unique<RepairChain>(*ledger, clock, archive_id, incarnation);
  PAWL_TRY(run_to_end(context, chain->open()));
  PAWL_ASSIGN_OR_RETURN(const auto archive, open_archive_view(config.archive));
  audit::Report report;
  const audit::RootOptions options{{}, {}, adapter::check_ed25519};
  PAWL_ASSIGN_OR_RETURN(const auto root_facts, audit::read_root(*archive, options, report));
  if (!root_facts.incarnations.contains(incarnation)) {
    return Error{ErrorCode::kCorrupt, "the root chain does not have the table",
                 "run `pawl verify` on the archive"};
  }
  finder =
      std::make_unique<audit::LossFinder>(root_facts, incarnation, config.memory_max, config.tmp);
  PAWL_TRY(read_chains(*archive, root_facts, report, hooks));
  if (report.sound()) return ok();
  return Error{ErrorCode::kCorrupt,
               fmt::format("the ledger is damaged ({} findings): {}", report.findings_total,
                           report.findings.empty() ? "" : audit::to_text(report.findings.front())),
               "run `pawl verify` on the archive; nothing was entered"};
}

Status GuardRepair::Parts::read_chains(ArchiveView& archive, const audit::RootFacts& root_facts,
                                       audit::Report& report, const Hooks& hooks) {
  const audit::RootOptions options{{}, {}, adapter::check_ed25519};
  bool head_found = false;
  const auto no_progress = [](std::uint64_t) {};
  for (const auto& name : root_facts.incarnations.at(incarnation).shards) {
    const auto shard = ShardId::parse(name);
    if (!shard) continue;
    auto& last = last_source[shard->number];
    const auto take = [&](const audit::LedgerEntry& entry) {
      last = entry.source;
      hooks.progress("changes of the ledger", finder->counts().changes);
      return finder->add_change(entry);
    };
    PAWL_TRY(audit::read_shard(archive, root_facts, *shard, options, head_found, report, take,
                               no_progress));
  }
  const auto take = [&](const audit::LedgerRepair& repair) { return finder->add_repair(repair); };
  PAWL_TRY(audit::read_repairs(archive, root_facts, incarnation, options, head_found, report, take,
                               no_progress));
  return ok();
}

Status GuardRepair::Parts::add_item(const std::string& text) {
  PAWL_ASSIGN_OR_RETURN(const auto item, item::parse_item_text(text));
  PAWL_ASSIGN_OR_RETURN(const auto key, item::key_of(schema, item));
  std::string image;
  std::string key_text;
  item::append_item_json(image, item);
  item::append_item_json(key_text, key);
  return finder->add_table_item(
      key_text, audit::version_of_image(image, root.version_attribute.value_or("")), image);
}

Awaitable<Status> GuardRepair::Parts::scan(std::uint32_t segment, const Hooks& hooks) {
  std::string after;
  std::size_t empty_pages = 0;
  do {
    std::vector<std::string> all_attributes;
    auto page = co_await table->scan(segment, kScanSegments, after, std::move(all_attributes));
    if (!page.ok()) co_return std::move(page).error();
    empty_pages = page->items.empty() ? empty_pages + 1 : 0;
    if (empty_pages > kEmptyPagesMax) {
      co_return Error{
          ErrorCode::kUnavailable, "the table's scan brings empty pages and no end", {}};
    }
    for (const auto& item : page->items) {
      auto added = add_item(item);
      if (!added.ok()) co_return added;
    }
    hooks.progress("items of the table", finder->counts().table_items);
    after = std::move(page->next);
  } while (!after.empty());
  co_return ok();
}

// Behind what the ledger has of the shard: from the start where it has nothing.
StreamPosition GuardRepair::Parts::position_in(const std::string& arn,
                                               const std::string& shard) const {
  const auto number = root.chains.find({arn, shard});
  if (number == root.chains.end()) return {};
  const auto last = last_source.find(number->second);
  if (last == last_source.end() || last->second.empty()) return {};
  return {StreamPosition::At::kAfter, item::sequence_of(last->second)};
}

Status GuardRepair::Parts::take_pending(const StreamRecord& record) {
  PAWL_ASSIGN_OR_RETURN(const auto key, item::parse_item_text(record.keys));
  std::string text;
  item::append_item_json(text, key);
  pending.insert(audit::LossFinder::pending_key(text));
  if (pending.size() <= kPendingMax) return ok();
  return Error{ErrorCode::kUnavailable,
               "the guard is far behind the stream, so most of what the ledger lacks is not lost",
               "run it again when the guard's workers have caught up"};
}

Status GuardRepair::Parts::read_stream(const std::string& arn, const Hooks& hooks) {
  audit::StreamSearch search(
      *stream, clock,
      [this](const std::string&, const StreamRecord& record) { return take_pending(record); },
      [&hooks](std::uint64_t records) { hooks.progress("records of the stream", records); });
  search.start_at([this, &arn](const std::string& shard) { return position_in(arn, shard); });
  auto found = run_to_end(context, search.find_shards(arn));
  if (!found.ok()) {
    // A stream that is gone has no records left.
    if (found.error().code == ErrorCode::kNotFound) return ok();
    return found;
  }
  std::vector<Awaitable<Status>> work;
  for (std::uint32_t worker = 0; worker < kStreamWorkers; ++worker) work.push_back(search.work());
  PAWL_TRY(run_all_to_end(context, std::move(work)));
  if (search.summary().shards_unread == 0) return ok();
  return Error{ErrorCode::kUnavailable,
               fmt::format("{} of the stream's shards could not be read: {}",
                           search.summary().shards_unread, search.summary().why_unread),
               "nothing was entered: run it again"};
}

Result<RepairedTable> GuardRepair::Parts::repaired_table() {
  PAWL_ASSIGN_OR_RETURN(auto names, archive::NameTemplate::parse(root.names));
  return RepairedTable{{config.table, schema},
                       std::move(names),
                       root.version_attribute.value_or(""),
                       incarnation,
                       clock.now()};
}

Result<std::unique_ptr<GuardRepair>> GuardRepair::open(GuardRepairConfig config) {
  auto parts = std::make_unique<Parts>();
  parts->config = std::move(config);
  PAWL_TRY(parts->open());
  return std::unique_ptr<GuardRepair>(new GuardRepair(std::move(parts)));
}

GuardRepair::GuardRepair(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
GuardRepair::~GuardRepair() = default;

Result<GuardRepairReport> GuardRepair::run(const Hooks& hooks) {
  auto& parts = *parts_;
  PAWL_TRY(parts.look_at_archive());
  // In this order, which audit/loss_finder.h explains.
  PAWL_TRY(parts.read_ledger(hooks));
  std::vector<Awaitable<Status>> scans;
  for (std::uint32_t segment = 0; segment < kScanSegments; ++segment)
    scans.push_back(parts.scan(segment, hooks));
  PAWL_TRY(run_all_to_end(parts.context, std::move(scans)));
  PAWL_ASSIGN_OR_RETURN(auto table, parts.repaired_table());
  std::set<std::string> streams;
  if (parts.facts.stream) streams.insert(parts.facts.stream->arn);
  for (const auto& [source, number] : parts.root.chains) {
    if (!parts.root.closed.contains(number)) streams.insert(source.first);
  }
  for (const auto& arn : streams) PAWL_TRY(parts.read_stream(arn, hooks));

  GuardRepairReport report;
  report.archive_id = parts.archive_id;
  S3ObjectStore objects(*parts.bucket);
  RepairHoles holes(
      {parts.context, objects, *parts.table, parts.config.plan ? nullptr : parts.chain.get()},
      std::move(table), [&](const ledger::RepairEntry& entry) {
        const bool put = std::holds_alternative<ledger::PutBack>(entry.what);
        ++(put ? report.put_back : report.lost);
        hooks.tell(entry);
      });
  std::vector<audit::LossSuspect> batch;
  const auto flush = [&]() -> Status {
    report.stopped = report.stopped || hooks.stop();
    if (!report.stopped) PAWL_TRY(holes.take(batch));
    batch.clear();
    return ok();
  };
  PAWL_TRY(parts.finder->find(parts.pending, [&](const audit::LossSuspect& suspect) -> Status {
    batch.push_back(suspect);
    return batch.size() == RepairHoles::kSuspectsMax ? flush() : ok();
  }));
  PAWL_TRY(flush());
  report.found = parts.finder->counts();
  report.holes = holes.holes();
  report.changing = holes.changing();
  return report;
}

}  // namespace pawl::server
