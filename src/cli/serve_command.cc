#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include "adapter/open_files_limit.h"
#include "cli/commands.h"
#include "cli/config_arguments.h"
#include "cli/stop_signals.h"
#include "cli/terminal.h"
#include "server/server.h"

namespace pawl::cli {
namespace {

struct ServeArguments {
  ConfigArguments where;
  std::string listen;
  std::string profile;
  std::uint32_t time_scale = 0;  // 0: as configured
};

Result<server::ServerConfig> config_of(const ServeArguments& arguments) {
  PAWL_ASSIGN_OR_RETURN(auto config, config_of(arguments.where));
  if (!arguments.listen.empty()) PAWL_TRY(server::set_listen(config, arguments.listen));
  if (!arguments.profile.empty()) PAWL_TRY(server::set_profile(config, arguments.profile));
  if (arguments.time_scale != 0) config.time_scale = arguments.time_scale;
  return config;
}

std::string profile_line(const server::ServerConfig& config) {
  if (config.profile == trigger::Profile::kPawl) return "profile pawl · every version is kept";
  std::string line = "profile aws · functions and streams lose what the service loses";
  if (config.time_scale > 1)
    line += fmt::format(" · a day passes in {} s", 86'400 / config.time_scale);
  return coloured(Colour::kYellow, line);
}

// Waits for SIGINT or SIGTERM; looks after the server meanwhile.
void wait_for_stop(server::Server& server, const sigset_t& signals) {
  const timespec interval{server::kHousekeepingInterval.count(), 0};
  while (::sigtimedwait(&signals, nullptr, &interval) < 0) server.housekeeping();
}

int run_serve(const ServeArguments& arguments) {
  const auto began = std::chrono::steady_clock::now();
  const auto config = config_of(arguments);
  if (!config.ok()) return could_not(config.error());
  raise_open_files_limit();
  const sigset_t signals = block_stop_signals();
  ::signal(SIGPIPE, SIG_IGN);

  const auto server = server::Server::start(*config);
  if (!server.ok()) return could_not(server.error());
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  fmt::print("{} · {}\n", coloured(Colour::kBold, "pawl " PAWL_VERSION), profile_line(*config));
  fmt::print("  endpoint  {}\n  data      {}\n  archive   {}\n", (*server)->endpoint(),
             config->data, config->archive_place().to_option());
  if (!(*server)->refusal().empty()) {
    fmt::print("{}\n", coloured(Colour::kRed, "WRITES ARE REFUSED: " + (*server)->refusal()));
  }
  fmt::print("Ready after {} ms. Try: aws dynamodb list-tables --endpoint-url {}\n", took.count(),
             (*server)->endpoint());
  std::fflush(stdout);
  wait_for_stop(**server, signals);
  fmt::print("Stopping.\n");
  std::fflush(stdout);
  (*server)->stop();
  return kExitGood;
}

}  // namespace

void add_serve(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "serve", "Serve tables over the DynamoDB API and archive every version of every item");
  const auto arguments = std::make_shared<ServeArguments>();
  add_config_options(*command, arguments->where);
  command->add_option("--listen", arguments->listen, "HOST:PORT [127.0.0.1:8000]");
  command
      ->add_option(
          "--profile", arguments->profile,
          "pawl: the promises hold. aws: mappings and streams lose what the service loses, "
          "to try code that will run there [pawl]")
      ->check(CLI::IsMember({"pawl", "aws"}));
  command
      ->add_option("--time-scale", arguments->time_scale,
                   "With aws: ages and retention pass so many times faster, up to 86400 [1]")
      ->check(CLI::Range(1U, server::kTimeScaleMax));
  command->footer(
      "Ends at SIGINT or SIGTERM with 0. Exit status 2: it could not run, or the outcome of a "
      "commit became "
      "unknown; start it again.");
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_serve(*arguments); }; });
}

}  // namespace pawl::cli
