#include "drill/embedded_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>

#include "audit/verifier.h"
#include "drill/memory_archive_view.h"
#include "item/dynamodb_json.h"

namespace pawl::drill {
namespace {

constexpr char kArchive[] = "00000000000000a1";
constexpr char kData[] = "00000000000000d1";
constexpr Instant kCreated{1'767'225'600'000'000};
// A run that needs more has got stuck.
constexpr std::uint64_t kStepsMax = 3'000'000;
// After the last fault: back-offs end within a second, a tip comes within ten.
constexpr Duration kCatchUpMax = std::chrono::seconds(120);

constexpr Duration kStatusInterval = std::chrono::milliseconds(700);

void rethrow(const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
}

Duration unit_of(std::uint64_t choice) {
  constexpr std::array<std::int64_t, 3> kUnits = {1'000, 30'000, 400'000};
  return Duration(kUnits[choice % kUnits.size()]);
}

}  // namespace

EmbeddedWorld::EmbeddedWorld(std::uint64_t seed)
    : seed_(seed),
      random_(seed * 2 + 1),
      life_random_(seed ^ 0x5DEECE66DULL),
      plan_(seed * 3 + 7),
      time_({seed, kCreated}),
      store_memory_(&plan_),
      object_memory_(&plan_, {&time_.clock(), unit_of(random_.next() >> 7)}),
      ledger_memory_(&plan_, {&time_.clock(), unit_of(random_.next() >> 7)}),
      store_(store_memory_, log_, *this),
      objects_(object_memory_, log_, *this, time_.clock()),
      ledger_(ledger_memory_, log_, *this, time_.clock()),
      held_(store_memory_, violations_),
      sealed_(object_memory_, violations_),
      chains_(violations_),
      history_(object_memory_, violations_),
      honest_(violations_) {
  draw_profile();
}

EmbeddedWorld::~EmbeddedWorld() {
  if (life_) time_.crash(life_->process());
}

// A calm world, a world in which a few things fail often, or one in which everything fails now and then.
void EmbeddedWorld::draw_profile() {
  const std::uint64_t mood = random_.below(10);
  for (std::size_t i = 0; i < kEmbeddedFaultPoints; ++i) {
    const auto point = static_cast<FaultPoint>(i);
    unsigned per_mille = 0;
    if (mood >= 6) {
      per_mille = static_cast<unsigned>(random_.below(80));
    } else if (mood >= 2 && random_.below(4) == 0) {
      per_mille = static_cast<unsigned>(random_.below(500));
    }
    // A store write whose outcome is unknown ends the process: not at every other one.
    if (point == FaultPoint::kStoreWrite) per_mille /= 8;
    // What a crash leaves is an open question in every world.
    if (point == FaultPoint::kStoreCrash || point == FaultPoint::kStoreRemoval ||
        point == FaultPoint::kObjectCrash || point == FaultPoint::kLedgerCrash)
      per_mille = 600;
    plan_.set(point, per_mille);
  }
  crashes_left_ = random_.below(4) == 0 ? 0 : 1 + random_.below(8);
  // Few ticks: crashes during recovery; many: crashes in full flow.
  ticks_between_crashes_ = random_.below(3) == 0 ? 60 : 1500;

  WorkloadOptions workload;
  workload.clients = 1 + random_.below(5);
  workload.operations = 20 + random_.below(100);
  workload.items = 1 + random_.below(6);
  workload.partitions_max = static_cast<std::uint16_t>(1 + random_.below(4));
  workload.answers_lost_per_mille = random_.below(2) == 0 ? 0 : 100;
  workload.think_max = Duration(static_cast<std::int64_t>(1'000 << random_.below(10)));
  clients_ = std::make_unique<ClientWorkload>(workload, random_.next(), time_.clock(),
                                              static_cast<Endpoint&>(*this));
  for (std::size_t i = 0; i < workload.clients; ++i)
    boost::asio::co_spawn(time_.executor(), clients_->client(i), rethrow);
  boost::asio::co_spawn(time_.executor(), disturb(), rethrow);
  boost::asio::co_spawn(time_.executor(), watch(), rethrow);
}

LifeOptions EmbeddedWorld::draw_life_options() {
  LifeOptions options;
  options.committer.trim_interval = Duration(random_.below(2) == 0 ? 0 : 1'000'000);
  options.committer.round_commands_max = 1 + random_.below(20);
  options.recorder.archive = kArchive;
  options.recorder.data = kData;
  options.recorder.software = "pawl drill";
  options.recorder.round_changes_max = 1 + random_.below(30);
  options.recorder.in_flight_bytes_max = random_.below(3) == 0 ? 600 : 64 << 20;
  options.commit_pause =
      Duration(random_.below(2) == 0 ? 0 : static_cast<std::int64_t>(random_.below(40'000)));
  return options;
}

// -- processes --

void EmbeddedWorld::start_life() {
  std::optional<std::uint64_t> dies_after;
  if (crashes_left_ > 0 && !faults_over_) dies_after = 1 + random_.below(ticks_between_crashes_);
  log_.start_process(dies_after);
  ++report_.lives;
  honest_.process_started();
  life_ = std::make_unique<EmbeddedLife>(LifePorts{store_, objects_, ledger_, life_random_, time_},
                                         draw_life_options());
  try {
    const Status opened = life_->open();
    if (opened.ok()) return life_->start();
    if (faults_over_) violations_.add("P1: it does not start: " + opened.error().to_string());
  } catch (const ProcessDied&) {
    return;  // look_after_life() finds it
  }
  bury_life();
}

void EmbeddedWorld::bury_life() {
  time_.crash(life_->process());
  life_.reset();
  store_memory_.crash();
  ledger_.crash();  // before the objects: what it lists must have been durable, not lucky
  object_memory_.crash();
  sealed_.check_all();
  ++lives_ended_;
  clients_->server_ended();
  log_.note("a process ended");
  if (random_.below(4) == 0) verify_archive("after a crash");
}

void EmbeddedWorld::look_after_life() {
  if (!life_) {
    if (restarting_ || faults_over_) return;
    restarting_ = true;
    const auto wait = Duration(static_cast<std::int64_t>(random_.below(2'000'000)));
    boost::asio::co_spawn(time_.executor(), restart_later(wait), rethrow);
    return;
  }
  if (life_->disagreement())
    violations_.add("P1: the start asks for adoption: " + *life_->disagreement());
  if (log_.died()) {
    ++report_.crashes;
    if (crashes_left_ > 0) --crashes_left_;
    bury_life();
  } else if (life_->ended()) {
    if (life_->why() == "stopped") ++report_.clean_stops;
    bury_life();
  }
}

Awaitable<void> EmbeddedWorld::restart_later(Duration wait) {
  const auto alarm = time_.clock().make_alarm();
  (void)co_await alarm->wait_until(time_.now() + wait);
  restarting_ = false;
  if (!life_) start_life();
}

// What a person who looks at `pawl status` now and then is told.
Awaitable<void> EmbeddedWorld::watch() {
  const auto alarm = time_.clock().make_alarm();
  while (!faults_over_) {
    (void)co_await alarm->wait_until(time_.now() + kStatusInterval);
    if (!life_ || !life_->serving() || log_.died()) continue;
    std::map<ShardId, KnownShard> known;
    for (const ShardId shard : life_->tables().log->shards()) {
      known[shard] = {life_->tables().log->position(shard)->newest,
                      {chains_.last(shard.to_string())}};
    }
    honest_.look(time_.now(), life_->recorder().status(), known);
  }
}

// What happens to a machine now and then: its clock is set, its disk fills, a store hangs, somebody stops the server.
Awaitable<void> EmbeddedWorld::disturb() {
  const auto alarm = time_.clock().make_alarm();
  while (!faults_over_) {
    (void)co_await alarm->wait_until(
        time_.now() + Duration(static_cast<std::int64_t>(200'000 + random_.below(8'000'000))));
    if (faults_over_) co_return;
    switch (random_.below(8)) {
      case 0:
        time_.skew_wall(
            Duration(static_cast<std::int64_t>(random_.below(20'000'000)) - 10'000'000));
        break;
      case 1:
        store_memory_.set_room({1'000'000, 1'000'000});
        (void)co_await alarm->wait_until(time_.now() + std::chrono::seconds(1));
        store_memory_.set_room({1ULL << 40, 1ULL << 30});
        break;
      case 3:
        objects_.stop_for(Duration(static_cast<std::int64_t>(random_.below(15'000'000))));
        break;
      case 4:
        ledger_.stop_for(Duration(static_cast<std::int64_t>(random_.below(15'000'000))));
        break;
      case 2:
        if (life_ && life_->serving()) life_->stop();
        break;
      default:
        break;
    }
  }
}

table::CommandSink* EmbeddedWorld::server() {
  return life_ && life_->serving() && !log_.died() ? &life_->commands() : nullptr;
}

// -- what is seen --

void EmbeddedWorld::will_set_aside(std::span<const std::string> names) {
  for (const auto& name : names) sealed_.will_set_aside(name);
}

void EmbeddedWorld::page_durable(std::string_view chain, std::string_view line) {
  std::string why;
  const auto page = reader_.page(line, why);
  if (!page) return violations_.add("P3: chain " + std::string(chain) + ": " + why);
  held_.page_durable(*page);
  sealed_.page_durable(*page);
  chains_.page_durable(chain, *page);
  history_.page_durable(*page);
}

// -- the run --

bool EmbeddedWorld::step() {
  if (!violations_.empty()) return false;
  if (life_) (void)log_.tick();
  look_after_life();
  return time_.step();
}

bool EmbeddedWorld::run_clients() {
  for (std::uint64_t steps = 0; !clients_->finished(); ++steps) {
    if (steps > kStepsMax) {
      violations_.add("the run does not end: at " + std::to_string(time_.now().microseconds) +
                      " µs, " + std::to_string(log_.effects()) + " effects, " +
                      (life_ ? "a process runs" : "no process runs"));
      return false;
    }
    if (!step()) return false;
  }
  return true;
}

// Everything that is in the change log is in durable pages, no deleted table waits for its end, and the recorder says so.
bool EmbeddedWorld::archived() const {
  if (!life_ || !life_->serving()) return false;
  for (const auto& [incarnation, table] : life_->tables().catalog->view()->by_incarnation) {
    if (table->record.state != table::TableState::kActive) return false;
  }
  const auto shards = life_->tables().log->shards();
  for (const ShardId shard : shards) {
    if (life_->tables().log->position(shard)->newest.value != chains_.last(shard.to_string()))
      return false;
  }
  const auto status = life_->recorder().status();
  return status.shards.size() == shards.size() &&
         std::all_of(status.shards.begin(), status.shards.end(), [](const auto& shard) {
           return shard.lag == 0 && shard.state == pipeline::FlowState::kIdle;
         });
}

// The faults are over: everything has to come into the archive by itself.
bool EmbeddedWorld::catch_up() {
  faults_over_ = true;
  plan_.set_enabled(false);
  log_.disarm();
  store_memory_.set_room({1ULL << 40, 1ULL << 30});
  const auto by = time_.now() + kCatchUpMax;
  for (auto next_look = time_.now(); violations_.empty();) {
    if (time_.now() >= next_look) {
      look_after_life();
      if (!life_ && !restarting_) start_life();
      if (archived()) return true;
      if (time_.now() >= by) {
        violations_.add("P1: without faults, not everything is archived after two minutes" +
                        std::string(life_ ? "" : ", and no process runs"));
        return false;
      }
      next_look = time_.now() + std::chrono::milliseconds(250);
    }
    time_.run_until(next_look);
    look_after_life();
  }
  return false;
}

void EmbeddedWorld::check_tables() {
  for (const auto& [incarnation, table] : life_->tables().catalog->view()->by_incarnation) {
    for (const auto& [item, image] : history_.last_images()) {
      if (item.first != incarnation.to_string()) continue;
      const auto key = item::parse_item_text(item.second);
      if (!key.ok()) continue;
      const auto read = life_->tables().reader->get(table->record.definition.name, *key);
      std::string now = "?";
      if (const auto* found = std::get_if<0>(&read)) {
        now = "null";
        if (*found) now.clear(), item::append_item_json(now, **found);
      }
      if (now != image) {
        violations_.add(fmt::format(
            "P1: item {} of table {} is {}, and its newest version in the archive is {}",
            item.second, table->record.definition.name, now, image));
      }
    }
  }
}

void EmbeddedWorld::verify_archive(const char* when) {
  // Before the first root page is durable it is not an archive yet.
  if (!chains_.has_root()) return;
  MemoryArchiveView archive(object_memory_, ledger_memory_, kArchive, kCreated);
  audit::VerifyOptions options;
  options.deep = true;
  options.memory_max = 1 << 20;
  options.check_signature = [](auto, auto, auto) { return false; };
  const auto verified = audit::verify(archive, options);
  if (!verified.ok()) {
    violations_.add(std::string("P7: verify ") + when + ": " + verified.error().to_string());
    return;
  }
  for (const auto& finding : verified->findings)
    violations_.add(std::string("P7: verify ") + when + ": " + std::string(name_of(finding.kind)) +
                    ": " + audit::to_text(finding));
}

void EmbeddedWorld::stop_and_check() {
  history_.check(clients_->operations());
  sealed_.check_all();
  check_tables();
  life_->stop();
  for (int seconds = 0; life_ && !life_->ended() && seconds < 30; ++seconds)
    time_.run_for(std::chrono::seconds(1));
  if (!life_->ended() || life_->why() != "stopped")
    violations_.add("a clean stop does not end: " + life_->why());
  verify_archive("at the end");
}

RunReport EmbeddedWorld::run() {
  start_life();
  if (run_clients() && catch_up()) stop_and_check();
  report_.seed = seed_;
  report_.violations = violations_.found();
  log_.note(time_.trace_digest());
  for (const auto& violation : report_.violations) log_.note(violation);
  report_.digest = log_.digest();
  report_.operations = clients_->operations().size();
  report_.changes = chains_.changes();
  report_.repeats = clients_->repeats();
  report_.stalls = honest_.stalls_seen();
  report_.effects = log_.effects();
  report_.virtual_time = Duration(time_.now().microseconds);
  for (std::size_t i = 0; i < kEmbeddedFaultPoints; ++i)
    report_.faults[i] = plan_.given(static_cast<FaultPoint>(i));
  return report_;
}

}  // namespace pawl::drill
