#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/json_writer.h"
#include "cli/guard_commands.h"
#include "cli/stop_signals.h"
#include "cli/terminal.h"
#include "item/dynamodb_json.h"
#include "server/guard_repair.h"

namespace pawl::cli {
namespace {

struct RepairArguments {
  std::string table;
  std::string archive;
  std::string s3_endpoint;
  std::string dynamodb_endpoint;
  std::size_t memory_mib = 128;
  std::string tmp = "/tmp";
  bool plan = false;
  bool json = false;
};

std::string key_text(const ledger::RepairEntry& entry) {
  std::string key;
  item::append_item_json(key, entry.key);
  return key;
}

std::string what_is_lost(const ledger::KnownLost& lost) {
  if (lost.from && *lost.from == *lost.to) return fmt::format("version {}", lost.from->value);
  if (lost.from) return fmt::format("versions {} to {}", lost.from->value, lost.to->value);
  if (lost.to) return fmt::format("whatever came before version {}", lost.to->value + 1);
  return lost.removed ? "its removal, and what else there was" : "nobody can say what";
}

void print_entry(const ledger::RepairEntry& entry, bool plan) {
  const auto item = printable(key_text(entry));
  if (const auto* put = std::get_if<ledger::PutBack>(&entry.what)) {
    fmt::print("  {} {}: {} from {}, as {}\n", plan ? "would put back" : "put back", item,
               put->version ? fmt::format("version {}", put->version->value) : "its image",
               entry.before ? "the next change's old image" : "the table", printable(put->object));
  } else {
    const auto& lost = std::get<ledger::KnownLost>(entry.what);
    fmt::print("  {} {}: {}, between {} and {}\n",
               plan ? "lost" : coloured(Colour::kYellow, "known lost"), item, what_is_lost(lost),
               lost.since.to_string(), lost.until.to_string());
  }
}

void append_place(JsonWriter& json, const char* name, const ledger::ChangePlace& place) {
  json.key(name)
      .begin_object()
      .field("shard", place.shard.to_string())
      .field("sequence", place.sequence.value)
      .end_object();
}

void append_entry(JsonWriter& json, const ledger::RepairEntry& entry, bool plan) {
  json.begin_object().field("item", key_text(entry));
  if (!plan) json.field("sequence", entry.sequence.value);
  append_place(json, "after", entry.after);
  if (entry.before) append_place(json, "before", *entry.before);
  if (const auto* put = std::get_if<ledger::PutBack>(&entry.what)) {
    json.field("outcome", plan ? "planned" : "put-back");
    if (put->version) json.field("version", put->version->value);
    json.field("source", entry.before ? "old-image" : "table").field("object", put->object);
  } else {
    const auto& lost = std::get<ledger::KnownLost>(entry.what);
    json.field("outcome", "lost");
    if (lost.from) json.field("from", lost.from->value);
    if (lost.to) json.field("to", lost.to->value);
    json.field("removed", lost.removed)
        .field("since", lost.since.to_string())
        .field("until", lost.until.to_string());
  }
  json.end_object();
}

bool complete(const server::GuardRepairReport& report, bool plan) {
  return report.changing == 0 && !report.stopped && !(plan && report.holes > 0);
}

void print_end(const server::GuardRepairReport& report, bool plan) {
  fmt::print("{}: {} put back, {} lost{}.\n", counted(report.holes, "hole"),
             grouped(report.put_back), grouped(report.lost),
             plan ? " (a plan: nothing was written)" : "");
  fmt::print("Compared: {} with {} of the table.\n", counted(report.found.changes, "change"),
             counted(report.found.table_items, "item"));
  if (report.found.pending > 0) {
    fmt::print("  {} with changes still in the stream: the guard's workers bring them.\n",
               counted(report.found.pending, "item"));
  }
  if (report.found.unseen > 0) {
    fmt::print("  {} of which the ledger has nothing: older than the guard, or made in a gap.\n",
               counted(report.found.unseen, "item"));
  }
  if (report.changing > 0)
    fmt::print("  {} changed meanwhile: run it again.\n", counted(report.changing, "item"));
  if (report.stopped) fmt::print("Stopped before the end: run it again.\n");
}

void append_end(JsonWriter& json, const RepairArguments& arguments,
                const server::GuardRepairReport& report) {
  json.end_array()
      .field("table", arguments.table)
      .field("archive", arguments.archive)
      .field("archive_id", report.archive_id)
      .field("holes", report.holes)
      .field("put_back", report.put_back)
      .field("lost", report.lost)
      .field("pending", report.found.pending)
      .field("unseen", report.found.unseen)
      .field("changing", report.changing)
      .field("stopped", report.stopped)
      .field("complete", complete(report, arguments.plan))
      .end_object();
}

Result<int> repair(const RepairArguments& arguments) {
  server::GuardRepairConfig config;
  config.table = arguments.table;
  PAWL_ASSIGN_OR_RETURN(config.archive,
                        server::parse_archive_place(arguments.archive, arguments.s3_endpoint));
  config.dynamodb_endpoint = arguments.dynamodb_endpoint;
  config.plan = arguments.plan;
  config.memory_max = arguments.memory_mib << 20;
  config.tmp = arguments.tmp;
  PAWL_ASSIGN_OR_RETURN(const auto run, server::GuardRepair::open(std::move(config)));

  const StopQuestion stop;
  ProgressLine progress;
  std::string out;
  JsonWriter json(out);
  const auto flush = [&out] {
    std::fwrite(out.data(), 1, out.size(), stdout);
    out.clear();
  };
  if (arguments.json) {
    json.begin_object()
        .field("schema", "pawl-guard-repair/1")
        .field("mode", arguments.plan ? "plan" : "repair")
        .key("entries")
        .begin_array();
  }
  server::GuardRepair::Hooks hooks;
  hooks.tell = [&](const ledger::RepairEntry& entry) {
    progress.erase();
    if (!arguments.json) return print_entry(entry, arguments.plan);
    append_entry(json, entry, arguments.plan);
    flush();
  };
  hooks.progress = [&progress](const char* what, std::uint64_t done) {
    progress.show(what, done, 0);
  };
  hooks.stop = [] { return StopQuestion::asked(); };
  const auto report = run->run(hooks);
  progress.erase();
  if (!report.ok()) return report.error();
  if (arguments.json) {
    append_end(json, arguments, *report);
    out += '\n';
    flush();
  } else {
    print_end(*report, arguments.plan);
  }
  return complete(*report, arguments.plan) ? kExitGood : kExitFound;
}

int run_repair(const RepairArguments& arguments) {
  const auto status = repair(arguments);
  return status.ok() ? *status : could_not(status.error());
}

constexpr const char* kFooter =
    R"(Reads the archive's ledger, the table and what its stream has beyond the ledger, and goes down the ladder for
each item: what the next change's old image or the table still has is put back as NAME~repaired; what is nowhere is entered as
known lost, and `pawl verify` names it from then on. Run it after a gap (the workers' status and `pawl verify` tell), beside the
workers or without them; a second run enters nothing twice, and goes on where a first broke off. With --plan nothing is written.
The credentials need what `pawl guard record` needs, dynamodb:Scan and dynamodb:BatchGetItem on the table, and s3:ListBucket.
Exit status: 0 everything is accounted for, 1 items were changing, it was stopped, or with --plan there is something to enter,
2 it could not run.)";

}  // namespace

void add_guard_repair(CLI::App& guard, Action& chosen) {
  auto* const command = guard.add_subcommand(
      "repair", "After a gap: put back what still exists, and enter the rest as known lost");
  const auto arguments = std::make_shared<RepairArguments>();
  command->add_option("--table", arguments->table, "The table, by name")->required();
  command->add_option("--archive", arguments->archive, "s3://BUCKET/PREFIX")->required();
  command->add_option("--s3-endpoint", arguments->s3_endpoint,
                      "URL of the bucket's store [AWS_ENDPOINT_URL_S3, else Amazon's]");
  command->add_option("--dynamodb-endpoint", arguments->dynamodb_endpoint,
                      "URL of the table's engine [AWS_ENDPOINT_URL_DYNAMODB, else Amazon's]");
  command->add_flag("--plan", arguments->plan, "Only say what would be entered");
  command->add_option("--memory", arguments->memory_mib, "MiB for sorting; the rest goes to --tmp")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--tmp", arguments->tmp, "Folder for what does not fit in memory")
      ->capture_default_str();
  command->add_flag("--json", arguments->json,
                    "One JSON document (docs/schemas/guard-repair.schema.json)");
  command->footer(kFooter);
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_repair(*arguments); }; });
}

}  // namespace pawl::cli
