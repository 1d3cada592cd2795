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
#include "adapter/system_random.h"
#include "server/run_to_end.h"

namespace pawl::server {
namespace {

Result<item::KeyAttribute> key_attribute(const SourceKey& key) {
  switch (key.type) {
    case 'S':
      return item::KeyAttribute{key.name, item::Type::kString};
    case 'N':
      return item::KeyAttribute{key.name, item::Type::kNumber};
    case 'B':
      return item::KeyAttribute{key.name, item::Type::kBinary};
    default:
      return Error{ErrorCode::kInvalid,
                   fmt::format("the table's key '{}' has a type that is none of S, N, B", key.name),
                   ""};
  }
}

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
  std::optional<SourceTableFacts> facts;
  EtagForm etag_form = EtagForm::kQuoted;
  std::string archive_id;
  std::unique_ptr<guard::Worker> worker;

  Status open();
  Result<guard::GuardedTable> guarded() const;
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
  PAWL_ASSIGN_OR_RETURN(bucket,
                        S3Client::open(location, config.archive.s3_endpoint, from, clock, random));
  stream = std::make_unique<DynamoDbTableStream>(*dynamodb);
  table = std::make_unique<DynamoDbSourceTable>(*dynamodb, config.table);
  leases = std::make_unique<DynamoDbLeaseStore>(*lease_client, config.lease_table);
  return ok();
}

Result<guard::GuardedTable> GuardRecord::Parts::guarded() const {
  PAWL_ASSIGN_OR_RETURN(auto names, archive::NameTemplate::parse(config.names));
  item::KeySchema schema;
  PAWL_ASSIGN_OR_RETURN(schema.partition, key_attribute(facts->partition));
  if (facts->sort) {
    PAWL_ASSIGN_OR_RETURN(schema.sort, key_attribute(*facts->sort));
  }
  return guard::GuardedTable{archive_id,
                             "pawl " PAWL_VERSION,
                             guard::guarded_incarnation(*facts),
                             facts->arn,
                             {config.table, schema},
                             std::move(names),
                             config.version_attribute};
}

Result<std::unique_ptr<GuardRecord>> GuardRecord::open(GuardConfig config) {
  if (config.names.empty()) config.names = kGuardTemplate;
  if (config.lease_table.empty()) config.lease_table = "pawl-guard-" + config.table;
  PAWL_TRY(archive::NameTemplate::parse(config.names));
  auto parts = std::make_unique<Parts>();
  parts->config = std::move(config);
  PAWL_TRY(parts->open());
  return std::unique_ptr<GuardRecord>(new GuardRecord(std::move(parts)));
}

GuardRecord::GuardRecord(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
GuardRecord::~GuardRecord() = default;

Result<guard::Preflight> GuardRecord::look() {
  auto found = run_to_end(
      parts_->context, guard::preflight(*parts_->table, *parts_->stream,
                                        {parts_->config.names, parts_->config.version_attribute}));
  if (found.ok()) parts_->facts = found->facts;
  return found;
}

Status GuardRecord::prepare() {
  PAWL_ASSERT(parts_->facts.has_value());
  auto& parts = *parts_;
  PAWL_ASSIGN_OR_RETURN(
      const auto archive,
      run_to_end(parts.context, open_s3_archive(*parts.bucket, parts.random, parts.clock.now())));
  parts.archive_id = fmt::format("{:016x}", archive.id);
  parts.etag_form = archive.etag_form;
  PAWL_TRY(run_to_end(parts.context, parts.leases->create_if_absent()));
  parts.objects = std::make_unique<S3ObjectStore>(*parts.bucket);
  PAWL_ASSIGN_OR_RETURN(auto guarded, parts.guarded());
  guard::GuardPorts ports{*parts.stream,
                          *parts.table,
                          *parts.leases,
                          *parts.objects,
                          [&parts]() -> std::unique_ptr<LedgerStore> {
                            return std::make_unique<S3LedgerStore>(*parts.bucket, parts.etag_form);
                          },
                          parts.clock,
                          parts.random};
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
const GuardConfig& GuardRecord::config() const { return parts_->config; }
const std::string& GuardRecord::archive_id() const { return parts_->archive_id; }

guard::PolicyNames GuardRecord::policy_names() const {
  const auto& location = parts_->bucket->location();
  return {parts_->facts->arn, sibling_arn(parts_->facts->arn, parts_->config.lease_table),
          location.bucket, location.prefix};
}

}  // namespace pawl::server
