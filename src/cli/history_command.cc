#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "audit/history.h"
#include "audit/report.h"
#include "base/json_writer.h"
#include "cli/archive_argument.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

// Bytes that are shown of an object of somebody else's, which may be anything.
constexpr std::size_t kForeignShown = 2000;

using Content = audit::HistoryEntry::Content;

// Whether its content was looked for in vain.
bool lacks_content(const audit::HistoryEntry& entry) {
  return entry.content != Content::kNotRead && entry.content != Content::kWhole;
}

struct HistoryArguments {
  ArchiveArgument archive;
  audit::HistoryOptions options;
  std::string at;
  bool json = false;
};

std::string to_json(const std::vector<audit::HistoryEntry>& entries) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("schema", "pawl-history/1").key("versions").begin_array();
  for (const auto& entry : entries) {
    json.begin_object()
        .field("table", entry.table)
        .field("incarnation", entry.incarnation)
        .key("key")
        .raw(entry.key);
    if (entry.version) json.field("version", *entry.version);
    json.field("kind", entry.kind).field("instant", entry.instant.to_string());
    if (entry.until) json.field("until", entry.until->to_string());
    if (entry.from) json.field("from", *entry.from);
    if (entry.to) json.field("to", *entry.to);
    if (!entry.lost) json.field("object", entry.object);
    if (!entry.kept.empty()) json.field("kept", entry.kept);
    json.field("shard", entry.shard).field("sequence", entry.sequence);
    if (!entry.source.empty()) json.field("source", entry.source);
    if (entry.foreign) json.field("foreign", true);
    if (entry.missing) json.field("missing", true);
    if (entry.content == Content::kMissing)
      json.field("damage", name_of(audit::FindingKind::kMissingObject));
    if (entry.content == Content::kAltered)
      json.field("damage", name_of(audit::FindingKind::kAlteredObject));
    if (entry.content == Content::kUnsettled) json.field("unsettled", true);
    if (!entry.image.empty()) json.key("image").raw(entry.image);
    json.end_object();
  }
  json.end_array().end_object();
  out += '\n';
  return out;
}

// What a person sees of the version that was asked for.
std::string content_of(const audit::HistoryEntry& entry) {
  if (entry.lost) return "nothing holds it any more";
  if (entry.missing) return "no object had come by its deadline: run `pawl verify`";
  if (entry.content == Content::kAltered)
    return "DAMAGED: its content is not what its page says: run `pawl verify`";
  if (entry.content == Content::kMissing) return "its object is missing: run `pawl verify`";
  if (entry.content == Content::kUnsettled)
    return fmt::format(
        "not found among {} objects that are kept and not entered yet, and there are more: run "
        "`pawl verify --deep`",
        audit::kKeptLooksMax);
  if (entry.foreign) {
    const std::string_view body = entry.body;
    return fmt::format("somebody else's object, {}: {}{}", counted(entry.size, "byte"),
                       printable(std::string(body.substr(0, kForeignShown))),
                       body.size() > kForeignShown ? " …" : "");
  }
  if (entry.image.empty()) return "what it says of itself can't be read: run `pawl verify`";
  return printable(entry.image);
}

// Of what is lost, which versions, as far as that is known.
std::string versions_of(const audit::HistoryEntry& entry) {
  if (entry.version) return std::to_string(*entry.version);
  if (entry.from && entry.to)
    return *entry.from == *entry.to ? std::to_string(*entry.from)
                                    : fmt::format("{}-{}", *entry.from, *entry.to);
  return entry.from ? fmt::format("{}-", *entry.from) : "-";
}

// When it was written; of what the repair chain has, between which instants.
std::string when(const audit::HistoryEntry& entry) {
  if (entry.until)
    return fmt::format("{} to {}", entry.instant.to_string(), entry.until->to_string());
  return entry.instant.to_string() + (entry.put_back || entry.lost ? " or later" : "");
}

void print_entries(const std::vector<audit::HistoryEntry>& entries, bool with_images) {
  std::string item;
  for (const auto& entry : entries) {
    const auto heading = printable(fmt::format("{} {}", entry.table, entry.key));
    if (heading != item) fmt::print("{}\n", coloured(Colour::kBold, heading));
    item = heading;
    // A guarded table's item has a version only where its version attribute says one.
    const auto line = fmt::format("  {:>6}  {:<6}  {}  {}", versions_of(entry),
                                  printable(entry.kind), when(entry), printable(entry.object));
    fmt::print("{}\n", entry.lost ? coloured(Colour::kRed, line) : line);
    if (!entry.kept.empty())
      fmt::print("          written again or deleted since; kept as {}\n", printable(entry.kept));
    if (with_images) fmt::print("          {}\n", content_of(entry));
  }
}

int run_history(HistoryArguments& arguments) {
  if (!arguments.at.empty()) {
    arguments.options.at = Instant::parse(arguments.at);
    if (!arguments.options.at) {
      return could_not({ErrorCode::kInvalid, fmt::format("--at {} is no instant", arguments.at),
                        "write it as 2026-11-22T18:00:00Z"});
    }
  }
  const auto archive = open_archive(arguments.archive);
  if (!archive.ok()) return could_not(archive.error());
  const auto entries = audit::item_history(**archive, arguments.options);
  if (!entries.ok()) return could_not(entries.error());
  if (arguments.json) {
    fmt::print("{}", to_json(*entries));
  } else if (entries->empty()) {
    fmt::print(stderr, "pawl: the archive has no such item or version\n");
    fmt::print(stderr, "hint: KEY is the partition key's value, or a whole key as DynamoDB JSON\n");
  } else {
    print_entries(*entries, arguments.options.version || arguments.options.at);
  }
  const bool good =
      !entries->empty() && std::none_of(entries->begin(), entries->end(), lacks_content);
  return good ? kExitGood : kExitFound;
}

}  // namespace

void add_history(CLI::App& app, Action& chosen) {
  auto* const command =
      app.add_subcommand("history", "Every version of one item, from an archive alone");
  const auto arguments = std::make_shared<HistoryArguments>();
  auto& options = arguments->options;
  add_archive_argument(*command, arguments->archive);
  command
      ->add_option("key", options.key,
                   "The partition key's value, or a whole key: {\"hashid\":{\"S\":\"A000001\"}}")
      ->required();
  command->add_option("--sort", options.sort, "The sort key's value");
  command->add_option("--table", options.table, "Of this table only");
  auto* const version = command->add_option(
      "--version", options.version,
      "This version only (of a table that Pawl guards: its version attribute), with its content");
  command
      ->add_option("--at", arguments->at,
                   "The version that was current then (2026-11-22T18:00:00Z), with its content")
      ->excludes(version);
  command->add_flag("--json", arguments->json,
                    "One JSON document (docs/schemas/history.schema.json)");
  command->footer(
      "Exit status: 0 found, 1 no such item or version, or its content is damaged or was not "
      "found, 2 it could not run.");
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_history(*arguments); }; });
}

}  // namespace pawl::cli
