#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <set>

#include "base/json_writer.h"
#include "cli/commands.h"
#include "cli/config_arguments.h"
#include "cli/terminal.h"
#include "server/adopt_data.h"

namespace pawl::cli {
namespace {

using Disagreements = std::vector<pipeline::Disagreement>;
using Kind = pipeline::Disagreement::Kind;

struct AdoptArguments {
  ConfigArguments where;
  bool yes = false;
  bool json = false;
};

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kUnknownToData:
      return "unknown-to-data";
    case Kind::kClosedInLedger:
      return "closed-in-ledger";
    case Kind::kBehindLedger:
      return "behind-ledger";
    case Kind::kDiverged:
      return "diverged";
    case Kind::kTrimmed:
      return "trimmed";
  }
  return "";
}

std::string to_json(const server::ServerConfig& config, const std::string& archive_id,
                    const Disagreements& disagreements) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("schema", "pawl-adopt/1")
      .field("data", config.data)
      .field("archive", config.archive_path())
      .field("archive_id", archive_id)
      .field("outcome", disagreements.empty() ? "nothing-to-adopt" : "adopted")
      .key("disagreements")
      .begin_array();
  for (const auto& one : disagreements) {
    json.begin_object()
        .field("kind", name_of(one.kind))
        .field("table", one.table)
        .field("incarnation", one.incarnation.to_string());
    if (one.shard) json.field("shard", one.shard->to_string());
    json.field("text", one.text).end_object();
  }
  json.end_array().end_object();
  out += '\n';
  return out;
}

// On standard error with --json or for the question, so that standard output is the document or nothing.
void print_plan(std::FILE* out, const Disagreements& disagreements) {
  fmt::print(out, "Data directory and ledger disagree:\n");
  for (const auto& one : disagreements) fmt::print(out, "  - {}\n", one.text);
  fmt::print(out, "Adopting does this:\n");
  std::set<Incarnation> told;
  for (const auto& one : disagreements) {
    if (!told.insert(one.incarnation).second) continue;
    if (one.kind == Kind::kUnknownToData) {
      fmt::print(out,
                 "  - table '{}': its chains are closed as abandoned; its versions stay in the "
                 "archive\n",
                 one.table);
    } else {
      fmt::print(
          out,
          "  - table '{}': goes on from what the data directory holds, as a new incarnation; "
          "what the archive\n    has beyond that stays there, as a past that was left\n",
          one.table);
    }
  }
  fmt::print(out,
             "Nothing is deleted. To have what the archive has instead, and lose nothing, run "
             "`pawl restore` into a\nnew data directory.\n");
}

bool person_says_yes() {
  fmt::print(stderr, "Adopt? [y/N] ");
  std::fflush(stderr);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

// Whether to go on; if not, the reason has been printed.
bool is_wanted(const AdoptArguments& arguments) {
  if (arguments.yes) return true;
  if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1) {
    if (person_says_yes()) return true;
    fmt::print(stderr, "pawl: nothing was changed\n");
    return false;
  }
  could_not({ErrorCode::kInvalid, "adopting is for a person to decide, and nobody can be asked",
             "read the above, and say --yes if that is what you want"});
  return false;
}

int run_adopt(const AdoptArguments& arguments) {
  const auto config = config_of(arguments.where);
  if (!config.ok()) return could_not(config.error());
  const auto adoption = server::Adoption::open(*config);
  if (!adoption.ok()) return could_not(adoption.error());
  const auto disagreements = (*adoption)->disagreements();  // as they were before
  if (!disagreements.empty()) {
    const bool only_document = arguments.json && arguments.yes;
    if (!only_document) print_plan(arguments.yes ? stdout : stderr, disagreements);
    std::fflush(stdout);
    if (!is_wanted(arguments)) return kExitCouldNot;
    const auto done = (*adoption)->adopt();
    if (!done.ok()) return could_not(done.error());
  }
  if (arguments.json) {
    fmt::print("{}", to_json(*config, (*adoption)->archive_id(), disagreements));
  } else if (disagreements.empty()) {
    fmt::print("Data directory and ledger agree: there is nothing to adopt.\n");
  } else {
    fmt::print("{}\n", coloured(Colour::kGreen,
                                "ADOPTED: data directory and ledger agree. `pawl serve` takes "
                                "writes again."));
  }
  return kExitGood;
}

}  // namespace

void add_adopt(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "adopt",
      "Go on with a data directory that disagrees with its archive, an older copy for example");
  const auto arguments = std::make_shared<AdoptArguments>();
  add_config_options(*command, arguments->where);
  command->add_flag("--yes", arguments->yes, "Do it without asking");
  command->add_flag("--json", arguments->json,
                    "One JSON document (docs/schemas/adopt.schema.json)");
  command->footer(
      "While no server runs on either. Says what disagrees and what it will do, and asks; without "
      "a terminal it needs\n--yes. `pawl restore` is the way to lose nothing. Exit status: 0 they "
      "agree now, 2 it could not run, or was not wanted.");
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_adopt(*arguments); }; });
}

}  // namespace pawl::cli
