#include "drill/client_workload.h"

#include "item/dynamodb_json.h"

namespace pawl::drill {
namespace {

constexpr Duration kRetryWait = std::chrono::milliseconds(100);
constexpr Duration kAnswerTimeout = std::chrono::seconds(30);
constexpr std::uint32_t kAttemptsMax = 12;
// A repeat is safe for ten minutes only (table/answer_format.h), so a client gives up long before.
constexpr std::int64_t kRepeatMicrosecondsMax = 300'000'000;

std::string key_json(std::uint64_t item) {
  return R"({"id":{"S":"i)" + std::to_string(item) + "\"}}";
}

item::Item item_of(std::string_view json) {
  auto parsed = item::parse_item_text(json);
  PAWL_ASSERT(parsed.ok());
  return std::move(parsed).value();
}

expression::Update parse_add() {
  auto placeholders = expression::Placeholders::make({}, item_of(R"({":one":{"N":"1"}})"));
  PAWL_ASSERT(placeholders.ok());
  auto parsed = expression::Update::parse("ADD n :one, v :one", *placeholders);
  PAWL_ASSERT(parsed.ok());
  return std::move(parsed).value();
}

expression::Condition parse_absent() {
  expression::Placeholders placeholders;
  auto parsed = expression::Condition::parse("attribute_not_exists(id)",
                                             expression::Condition::Kind::kCondition, placeholders);
  PAWL_ASSERT(parsed.ok());
  return std::move(parsed).value();
}

// "D01": done, one digit a mutation, 1 for a change. "R": refused for good. "L": not done, try again later.
std::string render(const table::Outcome& outcome) {
  if (outcome.failure) {
    switch (outcome.failure->refusal) {
      case table::Refusal::kBusy:
      case table::Refusal::kStopping:
      case table::Refusal::kStorage:
      case table::Refusal::kNoRoom:
      case table::Refusal::kNeedsAdopt:
        return "L";
      default:
        return "R";
    }
  }
  std::string text = "D";
  for (const auto& mutation : outcome.mutations) text += mutation.changed ? '1' : '0';
  return text;
}

struct Reply {
  bool called = false;
  std::optional<std::string> answer;
};

}  // namespace

const std::vector<std::string>& ClientWorkload::tables() {
  static const std::vector<std::string> kTables = {"users", "orders", "scratch"};
  return kTables;
}

ClientWorkload::ClientWorkload(WorkloadOptions options, std::uint64_t seed, Clock& clock,
                               Endpoint& endpoint)
    : options_(options),
      random_(seed),
      clock_(clock),
      endpoint_(endpoint),
      add_(parse_add()),
      absent_(parse_absent()),
      running_(options.clients) {
  for (std::size_t i = 0; i < options.clients; ++i) alarms_.push_back(clock.make_alarm());
}

void ClientWorkload::server_ended() {
  for (const auto& alarm : alarms_) alarm->ring();
}

Awaitable<void> ClientWorkload::sleep(std::size_t client, Duration time) {
  const auto until = clock_.monotonic() + time;
  while (clock_.monotonic() < until) (void)co_await alarms_[client]->wait_until(until);
}

Awaitable<void> ClientWorkload::client(std::size_t number) {
  if (number == 0) {
    co_await create_tables();
    tables_made_ = true;
  }
  while (!tables_made_) co_await sleep(number, kRetryWait);
  while (operations_.size() < options_.operations) {
    co_await write(number);
    if (number == 0 &&
        chance(options_.recreate_per_mille * static_cast<unsigned>(options_.clients)))
      co_await recreate_table();
    const auto think = static_cast<std::uint64_t>(options_.think_max.count()) + 1;
    co_await sleep(number, Duration(static_cast<std::int64_t>(random_.below(think))));
  }
  --running_;
}

Awaitable<void> ClientWorkload::create_tables() {
  for (const std::string& table : tables()) {
    bool made = false;
    while (!made) {
      table::Command create = create_command(table);
      made = co_await table_command(0, std::move(create));
    }
  }
}

// One client only does this, so no two tables' commands are under way at a time.
Awaitable<void> ClientWorkload::recreate_table() {
  const std::string table = tables()[random_.below(tables().size())];
  bool done = false;
  while (!done) {
    table::Command remove;
    remove.action = table::DeleteTable{table};
    done = co_await table_command(0, std::move(remove));
  }
  if (chance(500)) co_await sleep(0, Duration(static_cast<std::int64_t>(random_.below(2'000'000))));
  for (done = false; !done;) {
    table::Command create = create_command(table);
    done = co_await table_command(0, std::move(create));
  }
}

// True once it is done: refused for good means that an earlier attempt had done it.
Awaitable<bool> ClientWorkload::table_command(std::size_t client, table::Command command) {
  command.trace = "c" + std::to_string(++commands_);
  const auto answer = co_await attempt(client, std::move(command));
  const Heard heard = hear(answer);
  if (heard == Heard::kDone || heard == Heard::kRefused) co_return true;
  co_await sleep(client, kRetryWait);
  co_return false;
}

Awaitable<void> ClientWorkload::write(std::size_t client) {
  operations_.push_back(make_operation());
  Operation& operation = operations_.back();
  const bool guarded = !chance(options_.unguarded_per_mille);
  const bool as_transaction = chance(500);
  const bool if_absent = operation.parts.size() == 1 &&
                         operation.parts[0].kind == Operation::Kind::kPut && chance(300);
  bool silence = false;  // an attempt was not answered
  const std::int64_t begun = clock_.now().microseconds;
  while (operation.attempts < kAttemptsMax &&
         clock_.now().microseconds - begun < kRepeatMicrosecondsMax) {
    if (operation.attempts++ > 0) {
      ++repeats_;
      co_await sleep(client, kRetryWait);
    }
    if (operation.submitted == 0) operation.submitted = ++moments_;
    // Named, not temporaries: g++ 12 destroys some temporaries of a co_await twice.
    const std::string guard = guarded ? operation.trace : std::string();
    table::Command command = command_for(operation, guard, as_transaction, if_absent);
    auto answer = co_await attempt(client, std::move(command));
    if (answer && chance(options_.answers_lost_per_mille)) answer.reset();
    switch (hear(answer)) {
      case Heard::kDone:
        PAWL_ASSERT(answer->size() == 1 + operation.parts.size());
        for (std::size_t i = 0; i < operation.parts.size(); ++i)
          operation.parts[i].changed = (*answer)[1 + i] == '1';
        operation.told = Operation::Told::kDone;
        operation.answered = ++moments_;
        co_return;
      case Heard::kRefused:
        operation.told = Operation::Told::kRefused;
        co_return;
      case Heard::kRefusedForNow:
        if (guarded) continue;
        operation.told = Operation::Told::kRefused;
        co_return;
      case Heard::kNothing:
        silence = true;
        if (!guarded) co_return;
    }
  }
  if (!silence) operation.told = Operation::Told::kRefused;
}

// What came back: nothing where nobody answered in time, or the server died first.
Awaitable<std::optional<std::string>> ClientWorkload::attempt(std::size_t client,
                                                              table::Command command) {
  const auto by = clock_.monotonic() + kAnswerTimeout;
  while (endpoint_.server() == nullptr) {
    if (clock_.monotonic() >= by) co_return std::nullopt;
    co_await sleep(client, kRetryWait);
  }
  const auto reply = std::make_shared<Reply>();
  const std::uint64_t life = endpoint_.lives_ended();
  command.bytes = 200;
  command.render = render;
  command.done = [reply, alarm = alarms_[client].get()](std::optional<std::string> answer) {
    PAWL_ASSERT(!reply->called);
    reply->called = true;
    reply->answer = std::move(answer);
    alarm->ring();
  };
  endpoint_.server()->submit(std::move(command));
  const auto until = clock_.monotonic() + kAnswerTimeout;
  while (!reply->called && endpoint_.lives_ended() == life && clock_.monotonic() < until)
    (void)co_await alarms_[client]->wait_until(until);
  co_return reply->answer;
}

ClientWorkload::Heard ClientWorkload::hear(const std::optional<std::string>& answer) {
  if (!answer) return Heard::kNothing;
  switch (answer->front()) {
    case 'D':
      return Heard::kDone;
    case 'R':
      return Heard::kRefused;
    default:
      return Heard::kRefusedForNow;
  }
}

Operation ClientWorkload::make_operation() {
  Operation operation;
  operation.trace = "t" + std::to_string(operations_.size());
  const bool several = chance(150);
  operation.parts.push_back(make_part(several));
  if (several) {
    const Operation::Part other = make_part(true);
    const Operation::Part& first = operation.parts.front();
    if (other.table != first.table || other.key != first.key) operation.parts.push_back(other);
  }
  return operation;
}

Operation::Part ClientWorkload::make_part(bool changes_always) {
  Operation::Part part;
  part.table = tables()[random_.below(tables().size())];
  part.key = key_json(random_.below(options_.items));
  const std::uint64_t kind = random_.below(10);
  if (kind < 5) part.kind = Operation::Kind::kAdd;
  if (kind >= 8 && !changes_always) part.kind = Operation::Kind::kDelete;
  return part;
}

table::Mutation ClientWorkload::mutation_for(const Operation& operation,
                                             const Operation::Part& part) const {
  table::Mutation mutation;
  mutation.table = part.table;
  mutation.item = item_of(part.key);
  switch (part.kind) {
    case Operation::Kind::kPut:
      // The trace makes each put a change. The counter that names the object starts again.
      mutation.kind = table::Mutation::Kind::kPut;
      mutation.item["w"] = item::String{operation.trace};
      mutation.item["v"] = item::Number(0);
      break;
    case Operation::Kind::kAdd:
      mutation.kind = table::Mutation::Kind::kUpdate;
      mutation.update = add_;
      break;
    case Operation::Kind::kDelete:
      mutation.kind = table::Mutation::Kind::kDelete;
      break;
  }
  return mutation;
}

table::Command ClientWorkload::command_for(const Operation& operation, const std::string& guard,
                                           bool as_transaction, bool if_absent) const {
  std::vector<table::Mutation> mutations;
  for (const auto& part : operation.parts) mutations.push_back(mutation_for(operation, part));
  if (if_absent) mutations.front().condition = absent_;
  table::Command command;
  command.trace = operation.trace;
  if (!guard.empty()) {
    table::RepeatGuard repeat{
        .caller = "client", .id = guard, .client_token = as_transaction, .request = sha256(guard)};
    (as_transaction ? command.token : command.invocation) = std::move(repeat);
  }
  if (as_transaction) {
    command.action = table::Transaction{std::move(mutations)};
  } else {
    command.action = table::Mutations{std::move(mutations)};
  }
  return command;
}

table::Command ClientWorkload::create_command(const std::string& table) {
  table::TableDefinition definition;
  definition.name = table;
  definition.schema.partition = {"id", item::Type::kString};
  definition.partitions = static_cast<std::uint16_t>(1 + random_.below(options_.partitions_max));
  // Of the article, whose counter starts again; a name that every incarnation uses; and one that no two changes share.
  definition.record.name_template = table == "users"    ? "logs/{id}-{v}.log"
                                    : table == "orders" ? "{table}/{shard}/{sequence}.json"
                                                        : "{table}/{key}-{version}.json";
  table::Command command;
  command.action = table::CreateTable{std::move(definition)};
  return command;
}

}  // namespace pawl::drill
