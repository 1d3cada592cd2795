#include "server/guard_record.h"

#include <fmt/format.h>

#include "adapter/dynamodb_client.h"
#include "adapter/dynamodb_lease_store.h"
#include "adapter/dynamodb_source_table.h"
#include "adapter/dynamodb_table_stream.h"
#include "adapter/reading_clock.h"
#include "adapter/s3_archive.h"
#include "adapter/s3_client.h"
#include "adapter/s3_ledger_store.h"
#include "adapter/s3_object_store.h"
#include "adapter/s3_object_watch.h"
#include "adapter/system_random.h"
#include "guard/expected_objects.h"
#include "guard/guarded_definition.h"
#include "server/run_to_end.h"

namespace pawl::server {
namespace {

// "arn:aws:dynamodb:REGION:ACCOUNT:table/NAME" of another table of the same account.
std::string sibling_arn(const std::string& arn, const std::string& name) {
  const auto slash = arn.rfind('/');
  return slash == std::string::npos ? name : arn.substr(0, slash + 1) + name;
}

}  // namespace

struct GuardRecord::Parts {
  GuardConfig config;
  adapter::ReadingClock clock;
  SystemRandom random;
  boost::asio::io_context context;
  std::unique_ptr<DynamoDbClient> dynamodb;
  std::unique_ptr<DynamoDbClient> lease_client;
  std::unique_ptr<S3Client> bucket;
  std::unique_ptr<DynamoDbTableStream> stream;
  std::unique_ptr<DynamoDbSourceTable> table;
  std::unique_ptr<DynamoDbLeaseStore> leases;
  std::unique_ptr<S3ObjectStore> objects;
  std::unique_ptr<S3ObjectWatch> watch;
  guard::ObjectsTaken taken;
  CheckLog log;
  std::optional<guard::CheckPorts> check;
  std::optional<SourceTableFacts> facts;
  EtagForm etag_form = EtagForm::kQuoted;
  std::string archive_id;
  std::unique_ptr<guard::Worker> worker;

  Status open();
  void choose_version_attribute();
  Result<guard::GuardedTable> guarded() const;
  Awaitable<Result<std::string>> probe_archive();
  Awaitable<Status> probe_absence(EtagForm form);
  S3Prefix prefix() const { return config.check ? S3Prefix::kShared : S3Prefix::kOwn; }
};

Status GuardRecord::Parts::open() {
  if (!config.archive.in_bucket()) {
    return Error{
        ErrorCode::kInvalid,
        fmt::format("a guard's archive must be a bucket, and {} is none", config.archive.where),
        "give --archive s3://BUCKET/PREFIX: workers on any machine share it"};
  }
  const auto from = AwsSurroundings::of_process();
  PAWL_ASSIGN_OR_RETURN(dynamodb,
                        DynamoDbClient::open(config.dynamodb_endpoint, from, clock, random));
  PAWL_ASSIGN_OR_RETURN(lease_client, DynamoDbClient::open(config.dynamodb_endpoint, from, clock,
                                                           random, lease_client_options()));
  PAWL_ASSIGN_OR_RETURN(const auto location, parse_s3_url(config.archive.where));
  SignedClientOptions options;
  options.may_send = [this](const SignedRequest& request) {
    return request.method == "GET" || !worker || worker->trusts_itself();
  };
  PAWL_ASSIGN_OR_RETURN(bucket, S3Client::open(location, config.archive.s3_endpoint, from, clock,
                                               random, std::move(options)));
  stream = std::make_unique<DynamoDbTableStream>(*dynamodb);
  table = std::make_unique<DynamoDbSourceTable>(*dynamodb, config.table);
  leases = std::make_unique<DynamoDbLeaseStore>(*lease_client, config.lease_table);
  return ok();
}

Result<guard::GuardedTable> GuardRecord::Parts::guarded() const {
  PAWL_ASSIGN_OR_RETURN(auto names, archive::NameTemplate::parse(config.names));
  PAWL_ASSIGN_OR_RETURN(auto schema, guard::key_schema_of(*facts));
  return guard::GuardedTable{archive_id,
                             "pawl " PAWL_VERSION,
                             guard::guarded_incarnation(*facts),
                             facts->arn,
                             {config.table, schema},
                             std::move(names),
                             config.version_attribute,
                             config.check.has_value()};
}

// Where a function names the objects, what counts the versions is commonly the last thing that it says.
void GuardRecord::Parts::choose_version_attribute() {
  if (!config.check || config.version_attribute) return;
  const auto names = archive::NameTemplate::parse(config.names);
  if (!names.ok()) return;
  const auto last = names->last_attribute();
  const bool is_key =
      last && (*last == facts->partition.name || (facts->sort && *last == facts->sort->name));
  if (last && !is_key) config.version_attribute = last;
}

Result<std::unique_ptr<GuardRecord>> GuardRecord::open(GuardConfig config) {
  if (config.names.empty()) config.names = kGuardTemplate;
  if (config.lease_table.empty())
    config.lease_table = (config.check ? "pawl-check-" : "pawl-guard-") + config.table;
  PAWL_TRY(archive::NameTemplate::parse(config.names));
  auto parts = std::make_unique<Parts>();
  parts->config = std::move(config);
  PAWL_TRY(parts->open());
  return std::unique_ptr<GuardRecord>(new GuardRecord(std::move(parts)));
}

GuardRecord::GuardRecord(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
GuardRecord::~GuardRecord() = default;

// Whether the store tells these credentials that an object is not there: to who may not list it says 403 instead.
Awaitable<Status> GuardRecord::Parts::probe_absence(EtagForm form) {
  S3ObjectWatch look(*bucket, form);
  const std::vector<ObjectAsk> asks{{".pawl/never-there", {}}};
  const auto seen = co_await look.look(asks);
  if (seen.front().kind == ObjectSeen::Kind::kAbsent) co_return ok();
  co_return Error{ErrorCode::kInvalid,
                  "the store does not tell an object that is not there from one that may not be "
                  "read: " +
                      seen.front().why,
                  "allow s3:ListBucket on the bucket (--preflight prints the policy)"};
}

// What stands where the archive is to be.
Awaitable<Result<std::string>> GuardRecord::Parts::probe_archive() {
  const auto found = co_await probe_s3_archive(*bucket, prefix());
  if (!found.ok()) co_return found.error();
  const auto where = config.archive.to_option();
  const std::string honours = "the store honours conditions";
  if (config.check) {
    const auto tells = co_await probe_absence(found->etag_form);
    if (!tells.ok()) co_return tells.error();
  }
  if (!found->id)
    co_return fmt::format("{} {}; {}", where, config.check ? "has no ledger yet" : "is new",
                          honours);
  archive_id = fmt::format("{:016x}", *found->id);
  const auto table_or_error = guarded();
  if (!table_or_error.ok()) co_return table_or_error.error();
  S3LedgerStore ledger(*bucket, found->etag_form);
  const auto fits = co_await guard::check_root_chain(ledger, *table_or_error);
  if (!fits.ok()) co_return fits.error();
  co_return fmt::format("{} is there ({}), and is gone on with; {}", where, archive_id, honours);
}

Result<guard::Preflight> GuardRecord::look() {
  auto& parts = *parts_;
  auto facts = run_to_end(parts.context, parts.table->describe());
  if (!facts.ok()) return facts.error();
  parts.facts = std::move(facts).value();
  parts.choose_version_attribute();
  guard::PreflightPorts ports{*parts.table, *parts.stream, *parts.leases, parts.clock,
                              [&parts] { return parts.probe_archive(); }};
  guard::PreflightAsk ask{parts.config.names, parts.config.version_attribute,
                          parts.config.lease_table, parts.config.check.has_value()};
  auto found = run_to_end(parts.context, guard::preflight(std::move(ports), std::move(ask)));
  return found;
}

Status GuardRecord::prepare() {
  PAWL_ASSERT(parts_->facts.has_value());
  auto& parts = *parts_;
  PAWL_ASSIGN_OR_RETURN(
      const auto archive,
      run_to_end(parts.context,
                 open_s3_archive(*parts.bucket, parts.random, parts.clock.now(), parts.prefix())));
  parts.archive_id = fmt::format("{:016x}", archive.id);
  parts.etag_form = archive.etag_form;
  PAWL_TRY(run_to_end(parts.context, parts.leases->create_if_absent()));
  PAWL_TRY(run_to_end(parts.context, guard::probe_leases(*parts.leases, parts.random)));
  parts.objects = std::make_unique<S3ObjectStore>(*parts.bucket);
  PAWL_ASSIGN_OR_RETURN(auto guarded, parts.guarded());
  const auto open_ledger = [&parts]() -> std::unique_ptr<LedgerStore> {
    return std::make_unique<S3LedgerStore>(*parts.bucket, parts.etag_form);
  };
  if (parts.config.check) {
    parts.watch = std::make_unique<S3ObjectWatch>(*parts.bucket, parts.etag_form);
    parts.check.emplace(guard::CheckPorts{
        *parts.watch, parts.taken, *parts.config.check,
        [&parts](const guard::RenderedChange& change) { parts.log.take(change); }});
  }
  guard::GuardPorts ports{
      *parts.stream, *parts.table, *parts.leases, *parts.objects,
      open_ledger,   parts.clock,  parts.random,  parts.check ? &*parts.check : nullptr};
  parts.worker = std::make_unique<guard::Worker>(std::move(ports), std::move(guarded));
  return ok();
}

void GuardRecord::run() {
  boost::asio::co_spawn(parts_->context, parts_->worker->run(), boost::asio::detached);
  parts_->context.restart();
  parts_->context.run();
}

void GuardRecord::stop() { parts_->worker->stop(); }
guard::WorkerStatus GuardRecord::status() const { return parts_->worker->status(); }
CheckLog& GuardRecord::check_log() { return parts_->log; }
const GuardConfig& GuardRecord::config() const { return parts_->config; }
const std::string& GuardRecord::archive_id() const { return parts_->archive_id; }

guard::PolicyNames GuardRecord::policy_names() const {
  const auto& location = parts_->bucket->location();
  const auto arn =
      parts_->facts ? parts_->facts->arn : "arn:aws:dynamodb:*:*:table/" + parts_->config.table;
  using Puts = guard::PolicyNames::Puts;
  const auto& check = parts_->config.check;
  const auto puts = !check          ? Puts::kEverything
                    : check->writes ? Puts::kLedgerAndMissing
                                    : Puts::kLedger;
  return {arn, sibling_arn(arn, parts_->config.lease_table), location.bucket, location.prefix,
          puts};
}

}  // namespace pawl::server
