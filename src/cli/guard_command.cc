#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <memory>
#include <thread>

#include "cli/commands.h"
#include "cli/guard_commands.h"
#include "cli/guard_output.h"
#include "cli/stop_signals.h"
#include "cli/terminal.h"
#include "server/guard_record.h"

namespace pawl::cli {
namespace {

// What is missing is told within a second, and how it goes every few.
constexpr int kLooksAStatus = 5;
constexpr std::uint64_t kDeadlineMaxS = 12 * 3600;  // half of what a stream keeps

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
  // Of `check`.
  bool check = false;
  std::string deadline = "60s";
  std::string on_missing = "write";
};

// "90s", "5m", "1h", or seconds without a unit.
Result<Duration> parse_deadline(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  const std::uint64_t seconds = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : 3600;
  const bool known = seconds < 3600 || unit == "h";
  if (error != std::errc() || !known || value == 0 || value > kDeadlineMaxS / seconds) {
    return Error{ErrorCode::kInvalid, fmt::format("--deadline {} is none", text),
                 "give 1s to 12h, as 90s, 5m or 1h: a stream keeps records for 24 hours"};
  }
  return Duration(std::chrono::seconds(value * seconds));
}

Result<server::GuardConfig> config_of(const GuardArguments& arguments) {
  server::GuardConfig config;
  config.table = arguments.table;
  PAWL_ASSIGN_OR_RETURN(config.archive,
                        server::parse_archive_place(arguments.archive, arguments.s3_endpoint));
  config.dynamodb_endpoint = arguments.dynamodb_endpoint;
  config.names = arguments.names;
  if (!arguments.version_attribute.empty()) config.version_attribute = arguments.version_attribute;
  config.lease_table = arguments.lease_table;
  if (arguments.check) {
    PAWL_ASSIGN_OR_RETURN(const auto deadline, parse_deadline(arguments.deadline));
    config.check = guard::CheckRules{deadline, arguments.on_missing == "write"};
  }
  return config;
}

// What is missing, each in a line of standard error; of many at once the first.
void tell_missing(server::CheckLog& log) {
  const auto missing = log.take_missing();
  for (const auto& sentence : missing.first) fmt::print(stderr, "pawl: {}\n", printable(sentence));
  if (missing.more > 0)
    fmt::print(stderr, "pawl: MISSING {} more: the ledger has them all\n", grouped(missing.more));
}

void tell_status(server::GuardRecord& guard, bool json, bool ended) {
  const auto status = guard.status();
  if (!guard.config().check) {
    fmt::print("{}\n", status_line(status));
  } else if (json) {
    fmt::print("{}\n", check_status_json(guard, status, guard.check_log().counts(), ended));
  } else {
    fmt::print("{}; {}\n", status_line(status), counts_text(guard.check_log().counts()));
  }
  std::fflush(stdout);
}

// Tells how it goes until SIGINT or SIGTERM.
void wait_for_stop(server::GuardRecord& guard, const sigset_t& signals, bool json) {
  const timespec interval{1, 0};
  for (int look = 1; ::sigtimedwait(&signals, nullptr, &interval) < 0; ++look) {
    tell_missing(guard.check_log());
    if (look % kLooksAStatus == 0) tell_status(guard, json, false);
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
    print_preflight(guard, *found);
    print_policy(guard);
    fmt::print("{}\n", found->refused() ? coloured(Colour::kRed, "REFUSED: see NO above.")
                                        : coloured(Colour::kGreen, "It can start."));
  }
  return found->refused() ? kExitFound : kExitGood;
}

// Progress for people; with --json only documents go to standard output.
void say(const GuardArguments& arguments, const std::string& text) {
  if (arguments.json) return;
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

int end_of_check(server::GuardRecord& guard, const GuardArguments& arguments) {
  tell_missing(guard.check_log());
  const auto counts = guard.check_log().counts();
  if (arguments.json) {
    tell_status(guard, true, true);
  } else {
    say(arguments, fmt::format("Checked by this worker: {}.", counts_text(counts)));
  }
  return counts.missing == 0 ? kExitGood : kExitFound;
}

int run_worker(server::GuardRecord& guard, const GuardArguments& arguments,
               const sigset_t& signals) {
  const auto found = guard.look();
  if (!found.ok()) return could_not(found.error());
  if (!arguments.json) print_preflight(guard, *found);
  if (found->refused()) {
    if (arguments.json) print_preflight_json(guard, *found);
    say(arguments, coloured(Colour::kRed, "REFUSED: see NO above."));
    return kExitFound;
  }
  const auto prepared = guard.prepare();
  if (!prepared.ok()) return could_not(prepared.error());
  say(arguments, fmt::format("{} {} ({})", arguments.check ? "checking" : "recording into",
                             guard.config().archive.to_option(), guard.archive_id()));
  std::thread working([&guard] { guard.run(); });
  wait_for_stop(guard, signals, arguments.json);
  say(arguments, "Stopping: its shards are given back.");
  guard.stop();
  working.join();
  return arguments.check ? end_of_check(guard, arguments) : kExitGood;
}

int run_guard(const GuardArguments& arguments) {
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
    fmt::print("{} · guard {} · table {}\n", coloured(Colour::kBold, "pawl " PAWL_VERSION),
               arguments.check ? "check" : "record", printable(arguments.table));
    std::fflush(stdout);
  }
  if (arguments.preflight_only) return run_preflight(**guard, arguments);
  return run_worker(**guard, arguments, signals);
}

// What both commands ask for.
void add_common(CLI::App& command, GuardArguments& arguments) {
  command.add_option("--s3-endpoint", arguments.s3_endpoint,
                     "URL of the bucket's store [AWS_ENDPOINT_URL_S3, else Amazon's]");
  command.add_option("--dynamodb-endpoint", arguments.dynamodb_endpoint,
                     "URL of the table's engine [AWS_ENDPOINT_URL_DYNAMODB, else Amazon's]");
  command.add_option("--lease-table", arguments.lease_table,
                     fmt::format("Where workers agree; made if it is absent [pawl-{}-TABLE]",
                                 arguments.check ? "check" : "guard"));
}

void add_record(CLI::App& guard, Action& chosen) {
  auto* const record = guard.add_subcommand(
      "record", "Archive every change of a table that somebody else keeps, from its stream");
  const auto arguments = std::make_shared<GuardArguments>();
  record->add_option("--table", arguments->table, "The table, by name")->required();
  record->add_option("--archive", arguments->archive, "s3://BUCKET/PREFIX")->required();
  record->add_option("--name", arguments->names,
                     fmt::format("How objects are named [{}]", server::kGuardTemplate));
  record->add_option("--version-attribute", arguments->version_attribute,
                     "The attribute that counts an item's versions");
  add_common(*record, *arguments);
  auto* const preflight = record->add_flag(
      "--preflight", arguments->preflight_only,
      "Look, say what was found, the IAM policy and the cost, and end: nothing is recorded");
  record->add_flag("--json", arguments->json, "What the preflight found, as one JSON document")
      ->needs(preflight);
  record->footer(
      "Start as many workers as you like, on any machine, with the same options; kill them at "
      "will. Ends at SIGINT or SIGTERM. Exit status: 0 ended, 1 refused by what the preflight "
      "found, 2 it could not run.");
  record->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_guard(*arguments); }; });
}

void add_check(CLI::App& guard, Action& chosen) {
  auto* const check = guard.add_subcommand("check",
                                           "Beside somebody else's function that writes one object "
                                           "a change into a bucket: see that each "
                                           "comes, and put in what does not");
  const auto arguments = std::make_shared<GuardArguments>();
  arguments->check = true;
  check->add_option("--table", arguments->table, "The table, by name")->required();
  check
      ->add_option_function<std::string>(
          "--bucket",
          [arguments](const std::string& bucket) {
            arguments->archive = bucket.starts_with("s3://") ? bucket : "s3://" + bucket;
          },
          "The bucket that the function writes to, BUCKET or BUCKET/PREFIX; the ledger goes below "
          ".pawl/ there")
      ->required();
  check
      ->add_option("--name", arguments->names,
                   "How the function names its objects: 'logs/{hashid}-{_version}.log'")
      ->required();
  check->add_option("--version-attribute", arguments->version_attribute,
                    "The attribute that counts an item's versions [what the last braces of --name "
                    "say]");
  check
      ->add_option("--deadline", arguments->deadline,
                   "How long after its change an object may come: 90s, 5m, 1h")
      ->capture_default_str();
  check
      ->add_option("--on-missing", arguments->on_missing,
                   "write: put what did not come in as NAME~repaired; alert: only tell")
      ->check(CLI::IsMember({"write", "alert"}))
      ->capture_default_str();
  add_common(*check, *arguments);
  check->add_flag("--preflight", arguments->preflight_only,
                  "Look, say what was found, the IAM policy and the cost, and end");
  check->add_flag("--json", arguments->json,
                  "How it goes as a JSON document every five seconds and at the end, or what the "
                  "preflight found");
  check->footer(
      "The function's own objects are read, never written. Each object that is missing is a line "
      "of "
      "standard error. Start as many workers as you like, on any machine, with the same options; "
      "kill them at will. Ends at SIGINT or SIGTERM. Exit status: 0 ended, and nothing was "
      "missing; "
      "1 something was missing by this worker's account, or the preflight refused; 2 it could not "
      "run. `pawl verify s3://BUCKET` tells of all workers.");
  check->callback([arguments, &chosen] { chosen = [arguments] { return run_guard(*arguments); }; });
}

}  // namespace

void add_guard(CLI::App& app, Action& chosen) {
  auto* const command =
      app.add_subcommand("guard", "Give an existing DynamoDB table and bucket Pawl's promises");
  command->require_subcommand(1);
  add_record(*command, chosen);
  add_check(*command, chosen);
  add_guard_repair(*command, chosen);
}

}  // namespace pawl::cli
