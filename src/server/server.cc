#include "server/server.h"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <thread>

#include "adapter/directory_object_shelf.h"
#include "base/base64.h"
#include "observe/log.h"
#include "server/bucket_archive.h"
#include "server/bucket_place.h"
#include "server/commit_events.h"
#include "server/functions.h"
#include "server/queues.h"
#include "server/round_thread.h"
#include "server/run_to_end.h"
#include "server/status_document.h"
#include "server/stores.h"
#include "server/supervision.h"
#include "server/triggers.h"
#include "server/unknown_outcome.h"
#include "wire/http_server.h"
#include "wire/router.h"
#include "wire/s3_service.h"

namespace pawl::server {
namespace {

wire::TableDefaults defaults_for(const ServerConfig& config, const std::string& name) {
  const auto settings = config.table(name);
  wire::TableDefaults defaults;
  defaults.partitions = settings.partitions;
  defaults.record.record = settings.record;
  defaults.record.name_template = settings.names;
  return defaults;
}

std::vector<wire::AccessKey> keys_of(const ServerConfig& config, const FunctionKey& functions) {
  std::vector<wire::AccessKey> keys;
  for (const auto& key : config.access_keys) keys.push_back({key.id, key.secret});
  if (!keys.empty()) keys.push_back({functions.id, functions.secret});
  return keys;
}

}  // namespace

// In the order in which they stand on each other; destroyed in the reverse.
struct Server::Parts {
  explicit Parts(const ServerConfig& settings)
      : config(settings), gate(keys_of(settings, function_key)) {}

  Status open();
  Status open_recorder();
  Status open_triggers();
  void open_supervision();
  Result<wire::S3ArchiveBucket> open_archive_bucket();
  Status listen();
  void stop();
  StatusFacts facts() const;

  ServerConfig config;
  FunctionKey function_key = FunctionKey::make();
  Instant started;
  Stores stores;

  pipeline::CommitBoard board;
  CommitEvents events{board, end_with_unknown_outcome};
  stream::ReadHolds read_holds;
  table::TableStore tables;
  std::unique_ptr<pipeline::CatalogTables> recorded;
  std::unique_ptr<pipeline::Recorder> recorder;
  boost::asio::io_context recording;  // goes first: what sleeps in it uses the recorder
  std::string refusal;

  std::unique_ptr<RoundThread<table::Committer>> commit_thread;
  std::thread record_thread;

  std::unique_ptr<Queues> queues;
  std::unique_ptr<BucketPlace> buckets;
  std::unique_ptr<Functions> functions;
  std::unique_ptr<Triggers> triggers;
  std::unique_ptr<TableStreams> log_streams;
  std::unique_ptr<Supervision> supervision;
  std::unique_ptr<DirectoryObjectShelf> shelf;  // none: the archive is in a bucket, or hidden

  wire::AccessGate gate;
  std::unique_ptr<wire::DynamoDbService> dynamodb;
  std::unique_ptr<wire::StreamsService> streams;
  std::unique_ptr<wire::S3Service> s3;
  std::unique_ptr<wire::Router> router;
  std::unique_ptr<wire::HttpServer> http;
  std::string endpoint;

  std::set<std::string> alarms_logged;
  bool stopped = false;
};

Status Server::Parts::open_recorder() {
  table::CommitterOptions options;
  options.reserve = {config.reserve.bytes, config.reserve.inodes};
  options.stream_retention = config.scaled_retention();
  options.read_holds = &read_holds;
  options.insert_only = config.insert_only();
  Supervision::hold(config.expectations(), read_holds);
  PAWL_ASSIGN_OR_RETURN(tables, table::TableStore::open(*stores.store, *stores.clock, stores.random,
                                                        events, options));
  recorded = std::make_unique<pipeline::CatalogTables>(*tables.catalog, *tables.committer);
  recorder = make_recorder(stores, tables, *recorded, board, config.page_intervals());
  PAWL_ASSIGN_OR_RETURN(const auto opening, run_to_end(recording, recorder->open()));
  for (const auto& disagreement : opening.disagreements) {
    if (refusal.empty()) {
      refusal = fmt::format("data directory and ledger disagree: {}; run `pawl adopt`",
                            disagreement.text);
    }
    observe::alarm("data directory and ledger disagree", {{"what", disagreement.text}});
  }
  if (!refusal.empty()) tables.committer->refuse_writes(table::Refusal::kNeedsAdopt, refusal);
  return ok();
}

// Before anything is committed: what the mappings need is held from then on.
Status Server::Parts::open_triggers() {
  trigger::TriggerOptions options;
  options.profile = config.profile;
  options.time_scale = config.time_scale;
  options.retention = config.stream_retention;
  TriggersGround ground{
      tables,
      read_holds,
      functions->host(),
      [this](std::string_view name) { return functions->catalog().find(name) != nullptr; },
      queues->engine(),
      *buckets,
      *stores.clock,
      stores.random,
      end_with_unknown_outcome};
  PAWL_ASSIGN_OR_RETURN(triggers,
                        Triggers::open(stores.data->triggers_path(), std::move(ground), options));
  events.set_reader([this](ShardId shard) { triggers->committed(shard); });
  functions->lambda().set_mappings([this](const wire::HttpRequest& request,
                                          const wire::Caller& caller, wire::Completion completion) {
    triggers->service().serve(request, caller, std::move(completion));
  });
  return ok();
}

void Server::Parts::open_supervision() {
  log_streams = std::make_unique<TableStreams>(tables, read_holds);
  supervision = std::make_unique<Supervision>(
      SupervisionGround{tables,
                        read_holds,
                        own_ports(*buckets, *stores.clock),
                        {triggers->desk(), *log_streams, functions->host(), *stores.clock},
                        *stores.clock,
                        stores.random},
      config.expectations());
}

// A bucket that a client made is the client's: the archive does not take its name.
Result<wire::S3ArchiveBucket> Server::Parts::open_archive_bucket() {
  wire::S3ArchiveBucket bucket;
  if (config.archive_bucket.empty()) return bucket;
  PAWL_ASSIGN_OR_RETURN(const auto taken, buckets->store().bucket(config.archive_bucket));
  if (taken) {
    observe::info("the archive is not shown as a bucket: a client's bucket has its name",
                  {{"bucket", config.archive_bucket}, {"setting", "archive_bucket"}});
    return bucket;
  }
  bucket.name = config.archive_bucket;
  if (config.archive_place().in_bucket()) {
    bucket.elsewhere = config.archive_path();
    return bucket;
  }
  PAWL_ASSIGN_OR_RETURN(shelf, DirectoryObjectShelf::open_archive(config.archive_path()));
  PAWL_ASSIGN_OR_RETURN(bucket.created, shelf->created());
  bucket.shelf = shelf.get();
  return bucket;
}

Status Server::Parts::listen() {
  dynamodb = std::make_unique<wire::DynamoDbService>(
      *tables.reader, *tables.committer,
      [this](const std::string& name) { return defaults_for(config, name); });
  PAWL_ASSIGN_OR_RETURN(auto archive_bucket, open_archive_bucket());
  s3 = std::make_unique<wire::S3Service>(
      gate, buckets->store(), std::move(archive_bucket), stores.random,
      [this] { return stores.clock->now(); },
      [this](std::function<void()> work) { buckets->run_elsewhere(std::move(work)); });
  wire::StatusSource source;
  source.status_json = [this] { return server::status_json(facts()); };
  source.metrics_text = [this] { return server::metrics_text(facts()); };
  source.healthy = [this] { return refusal.empty() && !events.no_room(); };
  streams = std::make_unique<wire::StreamsService>(*tables.streams, tables.catalog->iterator_key(),
                                                   [this] { return stores.clock->now(); });
  router =
      std::make_unique<wire::Router>(gate, *dynamodb, *streams, queues->service(), *s3,
                                     std::move(source), [this] { return stores.clock->now(); });
  router->serve_functions(functions->lambda(), functions->logs());
  wire::HttpServerOptions options;
  options.host = config.host;
  options.port = config.port;
  PAWL_ASSIGN_OR_RETURN(http, wire::HttpServer::start(options, *router));
  const bool v6 = config.host.find(':') != std::string::npos;
  endpoint =
      fmt::format("http://{}{}{}:{}", v6 ? "[" : "", config.host, v6 ? "]" : "", http->port());
  functions->start(local_endpoint(config.host, http->port()));
  triggers->start();
  supervision->start();
  return ok();
}

Status Server::Parts::open() {
  PAWL_TRY(stores.open(config.data, config.archive_place()));
  started = stores.clock->now();
  PAWL_TRY(open_recorder());
  PAWL_ASSIGN_OR_RETURN(
      queues, Queues::open(stores.data->queues_path(), config.reserve, *stores.clock, stores.random,
                           end_with_unknown_outcome));
  PAWL_ASSIGN_OR_RETURN(buckets, BucketPlace::open(stores.data->path(), *stores.clock,
                                                   {config.reserve.bytes, config.reserve.inodes},
                                                   end_with_unknown_outcome));
  PAWL_ASSIGN_OR_RETURN(functions, Functions::open(stores.data->path(), config.functions,
                                                   config.reserve, function_key, *stores.clock,
                                                   stores.random, end_with_unknown_outcome));
  PAWL_TRY(open_triggers());
  open_supervision();
  commit_thread = std::make_unique<RoundThread<table::Committer>>(*tables.committer);
  if (refusal.empty()) {
    record_thread = std::thread([this] {
      const auto ended = run_to_end(recording, recorder->run());
      if (ended.ok()) return;
      observe::alarm("recording has ended; writes are refused",
                     {{"why", ended.error().to_string()}});
      tables.committer->refuse_writes(table::Refusal::kNeedsAdopt,
                                      "recording has ended: " + ended.error().to_string());
    });
  }
  return listen();
}

void Server::Parts::stop() {
  if (stopped) return;
  stopped = true;
  if (queues) queues->stop_waiting();
  if (http) http->stop(kStopAnswersGrace);
  if (triggers) triggers->stop_calling();
  if (supervision) supervision->stop_calling();
  if (functions) functions->stop();
  if (triggers) triggers->stop();
  if (supervision) supervision->stop();
  if (queues) queues->stop();
  if (buckets) buckets->stop();
  if (commit_thread) commit_thread->stop();
  if (record_thread.joinable()) {
    recorder->stop();
    record_thread.join();
  }
  if (stores.clock) {
    const auto kept = stores.clock->persist();
    if (!kept.ok()) observe::alarm("keeping the clock failed", {{"why", kept.error().to_string()}});
  }
}

StatusFacts Server::Parts::facts() const {
  StatusFacts facts;
  facts.profile = name_of(config.profile);
  facts.endpoint = endpoint;
  facts.data = stores.data->path();
  facts.archive = config.archive_path();
  facts.archive_id = stores.archive_id();
  const auto& key = stores.signer->public_key();
  facts.public_key = to_base64({reinterpret_cast<const char*>(key.data()), key.size()});
  facts.started = started;
  facts.now = stores.clock->now();
  if (!refusal.empty()) facts.writes_refused = refusal;
  if (const auto why = events.no_room()) facts.writes_refused = "no room: " + *why;
  facts.trim_error = events.trim_error();
  facts.clock_set_back = stores.clock->set_back();
  const auto catalog = tables.catalog->view();
  for (const auto& [name, table] : catalog->by_name) facts.tables.push_back(table->describe());
  facts.recorder = recorder->status();
  facts.mappings = triggers->statuses();
  facts.expectations = supervision->statuses();
  facts.functions = functions->figures();
  facts.queues = queues->figures();
  facts.buckets = buckets->count();
  return facts;
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(const ServerConfig& config) {
  PAWL_TRY(check_config(config));
  auto parts = std::make_unique<Parts>(config);
  const auto opened = parts->open();
  if (!opened.ok()) {
    parts->stop();
    return opened.error();
  }
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

const std::string& Server::endpoint() const { return parts_->endpoint; }
const std::string& Server::refusal() const { return parts_->refusal; }
std::string Server::status_json() const { return server::status_json(parts_->facts()); }
std::string Server::metrics_text() const { return server::metrics_text(parts_->facts()); }
void Server::stop() { parts_->stop(); }

void Server::housekeeping() {
  const auto kept = parts_->stores.clock->persist();
  if (!kept.ok()) observe::alarm("keeping the clock failed", {{"why", kept.error().to_string()}});
  std::set<std::string> standing;
  for (const auto& alarm : alarms_of(parts_->facts())) {
    const auto name = alarm.kind + " " + alarm.subject;
    standing.insert(name);
    if (parts_->alarms_logged.contains(name)) continue;
    observe::alarm(alarm.kind, {{"subject", alarm.subject}, {"text", alarm.text}});
  }
  for (const auto& name : parts_->alarms_logged) {
    if (!standing.contains(name)) observe::info("alarm ended", {{"alarm", name}});
  }
  parts_->alarms_logged = std::move(standing);
}

}  // namespace pawl::server
