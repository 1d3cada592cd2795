#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "server/guard_record.h"

namespace pawl::cli {
namespace {

using guard::PreflightLine;

constexpr std::chrono::seconds kStatusEvery{5};

struct GuardArguments {
  std::string table;
  std::string archive;
  std::string s3_endpoint;
  std::string dynamodb_endpoint;
  std::string names;
  std::string version_attribute;
  std::string lease_table;
  bool preflight_only = false;
  bool policy = false;
};

Result<server::GuardConfig> config_of(const GuardArguments& arguments) {
  server::GuardConfig config;
  config.table = arguments.table;
  PAWL_ASSIGN_OR_RETURN(config.archive,
                        server::parse_archive_place(arguments.archive, arguments.s3_endpoint));
  config.dynamodb_endpoint = arguments.dynamodb_endpoint;
  config.names = arguments.names;
  if (!arguments.version_attribute.empty()) config.version_attribute = arguments.version_attribute;
  config.lease_table = arguments.lease_table;
  return config;
}

void print_preflight(const guard::Preflight& found) {
  for (const auto& line : found.lines) {
    const auto verdict =
        line.verdict == PreflightLine::Verdict::kGood   ? coloured(Colour::kGreen, "ok  ")
        : line.verdict == PreflightLine::Verdict::kNote ? coloured(Colour::kYellow, "note")
                                                        : coloured(Colour::kRed, "NO  ");
    fmt::print("  {}  {:<10} {}\n", verdict, line.what, printable(line.found));
  }
  const auto cost = guard::estimate_cost(found.open_shards);
  fmt::print(
      "  cost        about {:.2f} USD a month for polling {} and leases, and {:.2f} USD for each "
      "million changes "
      "(an object each); storage not counted\n",
      cost.fixed, counted(found.open_shards, "open shard"), cost.per_million_changes);
}

// One line of what this worker does.
void print_status(const guard::WorkerStatus& status) {
  std::uint64_t archived = 0;
  std::size_t in_hand = 0;
  std::string why = status.why;
  for (const auto& shard : status.shards) {
    archived += shard.archived.value;
    in_hand += shard.in_hand;
    if (why.empty()) why = shard.why;
  }
  fmt::print("worker {}{}: {} of its own, {}, {} in hand, {}{}\n",
             status.is_member ? status.id : "(joining)", status.owns_root ? " (root)" : "",
             counted(status.shards.size(), "shard"), counted(archived, "version in pages"),
             grouped(in_hand), counted(status.others, "other worker"),
             why.empty() ? "" : fmt::format("; last trouble: {}", printable(why)));
  std::fflush(stdout);
}

// Tells how it goes until SIGINT or SIGTERM.
void wait_for_stop(const server::GuardRecord& guard, const sigset_t& signals) {
  const timespec interval{kStatusEvery.count(), 0};
  while (::sigtimedwait(&signals, nullptr, &interval) < 0) print_status(guard.status());
}

int run_record(const GuardArguments& arguments) {
  const auto config = config_of(arguments);
  if (!config.ok()) return could_not(config.error());
  // Blocked before any thread is made, so that only wait_for_stop() takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  const auto guard = server::GuardRecord::open(*config);
  if (!guard.ok()) return could_not(guard.error());
  const auto found = (*guard)->look();
  if (!found.ok()) return could_not(found.error());
  fmt::print("{} · guard record · table {}\n", coloured(Colour::kBold, "pawl " PAWL_VERSION),
             printable(arguments.table));
  print_preflight(*found);
  if (arguments.policy) fmt::print("{}\n", guard::iam_policy((*guard)->policy_names()));
  if (found->refused()) {
    fmt::print("{}\n", coloured(Colour::kRed, "REFUSED: see NO above."));
    return kExitFound;
  }
  if (arguments.preflight_only) return kExitGood;
  const auto prepared = (*guard)->prepare();
  if (!prepared.ok()) return could_not(prepared.error());
  fmt::print("  archive   {} ({})\n  leases    table {}\n", (*guard)->config().archive.to_option(),
             (*guard)->archive_id(), (*guard)->config().lease_table);
  std::fflush(stdout);
  std::thread working([&guard] { (*guard)->run(); });
  wait_for_stop(**guard, signals);
  fmt::print("Stopping: the shards are given back.\n");
  std::fflush(stdout);
  (*guard)->stop();
  working.join();
  return kExitGood;
}

}  // namespace

void add_guard(CLI::App& app, Action& chosen) {
  auto* const command =
      app.add_subcommand("guard", "Give an existing DynamoDB table and bucket Pawl's promises");
  command->require_subcommand(1);
  auto* const record = command->add_subcommand(
      "record", "Archive every change of a table that somebody else keeps, from its stream");
  const auto arguments = std::make_shared<GuardArguments>();
  record->add_option("--table", arguments->table, "The table, by name")->required();
  record->add_option("--archive", arguments->archive, "s3://BUCKET/PREFIX")->required();
  record->add_option("--s3-endpoint", arguments->s3_endpoint,
                     "URL of the bucket's store [AWS_ENDPOINT_URL_S3, else Amazon's]");
  record->add_option("--dynamodb-endpoint", arguments->dynamodb_endpoint,
                     "URL of the table's engine [AWS_ENDPOINT_URL_DYNAMODB, else Amazon's]");
  record->add_option("--name", arguments->names,
                     fmt::format("How objects are named [{}]", server::kGuardTemplate));
  record->add_option("--version-attribute", arguments->version_attribute,
                     "The attribute that counts an item's versions");
  record->add_option("--lease-table", arguments->lease_table,
                     "Where workers agree; made if it is absent [pawl-guard-TABLE]");
  record->add_flag("--preflight", arguments->preflight_only,
                   "Look, say what was found, and end; nothing is written");
  record->add_flag("--iam-policy", arguments->policy, "Print the IAM policy that it needs, too");
  record->footer(
      "Start as many workers as you like, on any machine; kill them at will. Ends at SIGINT or "
      "SIGTERM. Exit status: 0 "
      "ended, 1 refused by what the preflight found, 2 it could not run.");
  record->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_record(*arguments); }; });
}

}  // namespace pawl::cli
