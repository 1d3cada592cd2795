#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/server_client.h"
#include "cli/status_page.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

struct StatusArguments {
  std::string endpoint = "http://127.0.0.1:8000";
  bool json = false;
};

int run_status(const StatusArguments& arguments) {
  const auto document = ask_status(arguments.endpoint);
  if (!document.ok()) return could_not(document.error());
  const auto page = parse_status(*document);
  if (!page.ok()) {
    return could_not({ErrorCode::kInvalid,
                      fmt::format("what answers at {} is no pawl that this one understands: {}",
                                  arguments.endpoint, page.error().message),
                      "give with --endpoint what `pawl serve` printed as its endpoint"});
  }
  if (arguments.json) {
    fmt::print("{}{}", *document, document->ends_with('\n') ? "" : "\n");
  } else {
    fmt::print("{}", to_text(*page));
  }
  return page->is_well() ? kExitGood : kExitFound;
}

}  // namespace

void add_status(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "status", "Ask a running server: are writes taken, is every version archived, what is wrong");
  const auto arguments = std::make_shared<StatusArguments>();
  command
      ->add_option("--endpoint", arguments->endpoint, "What `pawl serve` printed as its endpoint")
      ->capture_default_str();
  command->add_flag("--json", arguments->json,
                    "One JSON document (docs/schemas/status.schema.json)");
  command->footer(
      "If the server has access keys, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be one of "
      "them.\nWhat is \"noted\" has happened and asks nothing of anybody. Exit status: 0 all is "
      "well, 1 an alarm "
      "stands, a shard is\nstalled or writes are refused, 2 no answer.");
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_status(*arguments); }; });
}

}  // namespace pawl::cli
