#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/json_writer.h"
#include "cli/archive_argument.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "server/restore_data.h"

namespace pawl::cli {
namespace {

struct RestoreArguments {
  ArchiveArgument archive;
  std::string data;
  bool json = false;
};

std::string to_json(const std::string& archive, const std::string& data,
                    const server::Restored& restored) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .field("schema", "pawl-restore/1")
      .field("archive", archive)
      .field("archive_id", restored.archive_id)
      .field("data", data)
      .field("tables", restored.report.tables)
      .field("items", restored.report.items)
      .field("removed_items", restored.report.removed_items)
      .field("changes", restored.report.changes)
      .field("unsealed_bytes", restored.report.unsealed)
      .field("set_aside", restored.set_aside)
      .end_object();
  out += '\n';
  return out;
}

void print_restored(const server::ArchivePlace& archive, const std::string& data,
                    const pipeline::RestoreReport& report, std::uint64_t set_aside) {
  fmt::print("{}\n", coloured(Colour::kGreen, fmt::format("RESTORED: {} with {}, from {}.",
                                                          counted(report.tables, "table"),
                                                          counted(report.items, "item"),
                                                          counted(report.changes, "change"))));
  if (report.removed_items > 0) {
    fmt::print("  {}: their versions go on where they were\n",
               counted(report.removed_items, "removed item"));
  }
  if (report.unsealed > 0) {
    fmt::print("  {} of a last page that a crash cut short were not read\n",
               sized(report.unsealed));
  }
  if (set_aside > 0) {
    fmt::print(
        "  {} {} in no page of the ledger, so that nothing vouches for {}: moved to {}/.suspect\n",
        grouped(set_aside), set_aside == 1 ? "object was" : "objects were",
        set_aside == 1 ? "it" : "them", archive.where);
  }
  fmt::print("Not in an archive, and so not restored: tables that are not recorded.\n");
  fmt::print("Go on with: pawl serve --data {} --archive {}{}{}\n", data, archive.to_option(),
             archive.s3_endpoint.empty() ? "" : " --s3-endpoint ", archive.s3_endpoint);
}

int run_restore(const RestoreArguments& arguments) {
  const auto archive = place_of(arguments.archive);
  if (!archive.ok()) return could_not(archive.error());
  ProgressLine progress;
  const auto restored = server::restore_data(
      *archive, arguments.data, [&progress](const pipeline::RestoreReport& report) {
        progress.show("restoring items", report.items + report.removed_items, 0);
      });
  progress.erase();
  if (!restored.ok()) return could_not(restored.error());
  if (arguments.json) {
    fmt::print("{}", to_json(archive->where, arguments.data, *restored));
  } else {
    print_restored(*archive, arguments.data, restored->report, restored->set_aside);
  }
  return kExitGood;
}

}  // namespace

void add_restore(CLI::App& app, Action& chosen) {
  auto* const command =
      app.add_subcommand("restore", "Build a data directory with all tables from an archive alone");
  const auto arguments = std::make_shared<RestoreArguments>();
  add_archive_argument(*command, arguments->archive);
  command->add_option("--data", arguments->data, "The new data directory: absent or empty")
      ->required();
  command->add_flag("--json", arguments->json,
                    "One JSON document (docs/schemas/restore.schema.json)");
  command->footer(
      "`pawl serve` then goes on with both, without `pawl adopt`. In a bucket nothing changes; in "
      "a "
      "folder nothing but that\nobjects which are in no page of the ledger yet are moved to "
      ".suspect/. No "
      "server may be writing to it meanwhile.\nExit status: 0 restored, 2 it could not run.");
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_restore(*arguments); }; });
}

}  // namespace pawl::cli
