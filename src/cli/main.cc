// pawl: every version of every item archived, whole, once, for ever; and proven so.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/terminal.h"

int main(int argc, char** argv) {
  CLI::App app("Pawl keeps every version of every item of a DynamoDB-style table, and proves it.",
               "pawl");
  app.set_version_flag("--version", PAWL_VERSION);
  app.require_subcommand(1);
  app.footer(
      "`pawl COMMAND --help` says more. Exit status: 0 good, 1 found something wrong, 2 could not "
      "run.");
  pawl::cli::Action chosen;
  pawl::cli::add_serve(app, chosen);
  pawl::cli::add_verify(app, chosen);
  pawl::cli::add_history(app, chosen);
  pawl::cli::add_gaps(app, chosen);
  pawl::cli::add_repair(app, chosen);
  pawl::cli::add_status(app, chosen);
  pawl::cli::add_restore(app, chosen);
  pawl::cli::add_adopt(app, chosen);
  pawl::cli::add_demo(app, chosen);
  pawl::cli::add_logs(app, chosen);
  pawl::cli::add_exec(app, chosen);
  pawl::cli::add_guard(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? pawl::cli::kExitGood : pawl::cli::kExitCouldNot;
  }
  return chosen();
}
