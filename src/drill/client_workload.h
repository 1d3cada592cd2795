// Clients of an embedded Pawl in virtual time: they write, lose answers, repeat what they may repeat, delete and
// re-create tables, and remember what they asked for and what they were told.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drill/promise_checks.h"
#include "fault/fault_plan.h"
#include "port/clock.h"
#include "table/command.h"
#include "table/table_reader.h"

namespace pawl::drill {

struct WorkloadOptions {
  std::size_t clients = 3;
  std::size_t operations = 80;  // of all clients
  std::size_t items = 4;        // of a table
  std::uint16_t partitions_max = 3;
  unsigned answers_lost_per_mille = 50;
  unsigned unguarded_per_mille = 200;  // operations that carry no id, so can't be repeated
  unsigned recreate_per_mille = 30;    // tables deleted and created again, per operation
  Duration think_max = std::chrono::milliseconds(200);
};

// Where the clients find the server; nullptr while there is none.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual table::CommandSink* server() = 0;
  // Grows with each process that ends.
  virtual std::uint64_t lives_ended() const = 0;
};

// One thread. Everything given must outlive it.
class ClientWorkload {
 public:
  ClientWorkload(WorkloadOptions options, std::uint64_t seed, Clock& clock, Endpoint& endpoint);

  // The coroutine of one client, below `clients`; the first makes the tables before anything else.
  Awaitable<void> client(std::size_t number);
  bool finished() const { return running_ == 0; }
  // The server is gone: whoever waits for an answer need not wait any longer.
  void server_ended();

  // What is done and told so far.
  std::vector<Operation> operations() const { return {operations_.begin(), operations_.end()}; }
  std::uint64_t repeats() const { return repeats_; }

  static const std::vector<std::string>& tables();

 private:
  enum class Heard : std::uint8_t { kNothing, kDone, kRefused, kRefusedForNow };

  Awaitable<void> create_tables();
  Awaitable<void> recreate_table();
  Awaitable<bool> table_command(std::size_t client, table::Command command);
  Awaitable<void> write(std::size_t client);
  Awaitable<std::optional<std::string>> attempt(std::size_t client, table::Command command);
  Awaitable<void> sleep(std::size_t client, Duration time);

  Operation make_operation();
  Operation::Part make_part(bool changes_always);
  table::Command command_for(const Operation& operation, const std::string& guard,
                             bool as_transaction, bool if_absent) const;
  table::Mutation mutation_for(const Operation& operation, const Operation::Part& part) const;
  table::Command create_command(const std::string& table);
  static Heard hear(const std::optional<std::string>& answer);
  bool chance(unsigned per_mille) { return random_.below(1000) < per_mille; }

  const WorkloadOptions options_;
  SeededRandom random_;
  Clock& clock_;
  Endpoint& endpoint_;
  std::vector<std::unique_ptr<Alarm>> alarms_;  // one a client
  std::deque<Operation> operations_;            // grows, so that references stay
  expression::Update add_;
  expression::Condition absent_;
  std::uint64_t moments_ = 0;  // the scale of submitted and answered
  std::uint64_t commands_ = 0;
  std::uint64_t repeats_ = 0;
  std::size_t running_;
  bool tables_made_ = false;
};

}  // namespace pawl::drill
