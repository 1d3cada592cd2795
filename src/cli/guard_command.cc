#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "cli/commands.h"
#include "cli/guard_output.h"
#include "cli/stop_signals.h"
#include "cli/terminal.h"
#include "server/guard_record.h"

namespace pawl::cli {
namespace {

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
  bool json = false;
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

// Tells how it goes until SIGINT or SIGTERM.
void wait_for_stop(const server::GuardRecord& guard, const sigset_t& signals) {
  const timespec interval{kStatusEvery.count(), 0};
  while (::sigtimedwait(&signals, nullptr, &interval) < 0) {
    fmt::print("{}\n", status_line(guard.status()));
    std::fflush(stdout);
  }
}

void print_policy(const server::GuardRecord& guard) {
  fmt::print("The IAM policy that it needs:\n{}\n",
             guard::indented(guard::iam_policy(guard.policy_names())));
}

int run_preflight(server::GuardRecord& guard, const GuardArguments& arguments) {
  const auto found = guard.look();
  if (!found.ok()) {
    if (!arguments.json && found.error().code == ErrorCode::kInvalid) print_policy(guard);
    return could_not(found.error());
  }
  if (arguments.json) {
    print_preflight_json(guard, *found);
  } else {
    print_preflight(*found);
    print_policy(guard);
    fmt::print("{}\n", found->refused() ? coloured(Colour::kRed, "REFUSED: see NO above.")
                                        : coloured(Colour::kGreen, "It can start."));
  }
  return found->refused() ? kExitFound : kExitGood;
}

int run_worker(server::GuardRecord& guard, const sigset_t& signals) {
  const auto found = guard.look();
  if (!found.ok()) return could_not(found.error());
  print_preflight(*found);
  if (found->refused()) {
    fmt::print("{}\n", coloured(Colour::kRed, "REFUSED: see NO above."));
    return kExitFound;
  }
  const auto prepared = guard.prepare();
  if (!prepared.ok()) return could_not(prepared.error());
  fmt::print("recording into {} ({})\n", guard.config().archive.to_option(), guard.archive_id());
  std::fflush(stdout);
  std::thread working([&guard] { guard.run(); });
  wait_for_stop(guard, signals);
  fmt::print("Stopping: its shards are given back.\n");
  std::fflush(stdout);
  guard.stop();
  working.join();
  return kExitGood;
}

int run_record(const GuardArguments& arguments) {
  const auto config = config_of(arguments);
  if (!config.ok()) return could_not(config.error());
  // A preflight waits for nothing, and dies of them.
  sigset_t signals;
  sigemptyset(&signals);
  if (!arguments.preflight_only) signals = block_stop_signals();
  ::signal(SIGPIPE, SIG_IGN);

  const auto guard = server::GuardRecord::open(*config);
  if (!guard.ok()) return could_not(guard.error());
  if (!arguments.json) {
    fmt::print("{} · guard record · table {}\n", coloured(Colour::kBold, "pawl " PAWL_VERSION),
               printable(arguments.table));
    std::fflush(stdout);
  }
  if (arguments.preflight_only) return run_preflight(**guard, arguments);
  return run_worker(**guard, signals);
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
  auto* const preflight = record->add_flag(
      "--preflight", arguments->preflight_only,
      "Look, say what was found, the IAM policy and the cost, and end: nothing is recorded");
  record->add_flag("--json", arguments->json, "What the preflight found, as one JSON document")
      ->needs(preflight);
  record->footer(
      "Start as many workers as you like, on any machine, with the same options; kill them at "
      "will. "
      "Ends at SIGINT or SIGTERM. Exit status: 0 ended, 1 refused by what the preflight found, 2 "
      "it "
      "could not run.");
  record->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_record(*arguments); }; });
}

}  // namespace pawl::cli
