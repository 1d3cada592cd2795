#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "adapter/ed25519_check.h"
#include "audit/verifier.h"
#include "base/base64.h"
#include "cli/archive_argument.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

struct VerifyArguments {
  ArchiveArgument archive;
  bool deep = false;
  std::string head;
  std::string until;
  std::string public_key;
  std::size_t memory_mib = 128;
  std::string tmp = "/tmp";
  bool json = false;
};

Result<audit::VerifyOptions> options_of(const VerifyArguments& arguments) {
  audit::VerifyOptions options;
  options.deep = arguments.deep;
  options.check_signature = adapter::check_ed25519;
  options.memory_max = arguments.memory_mib << 20;
  options.tmp = arguments.tmp;
  if (!arguments.head.empty()) {
    options.head = Digest::parse(arguments.head);
    if (!options.head) {
      return Error{
          ErrorCode::kInvalid, fmt::format("--head {} is no digest", arguments.head),
          "give the 64 hexadecimal digits that an earlier `pawl verify` or `pawl status` printed"};
    }
  }
  if (!arguments.until.empty()) {
    options.until = Instant::parse(arguments.until);
    if (!options.until) {
      return Error{ErrorCode::kInvalid, fmt::format("--until {} is no instant", arguments.until),
                   "write it as 2026-11-22T18:00:00Z"};
    }
  }
  if (!arguments.public_key.empty()) {
    options.public_key = from_base64(arguments.public_key);
    if (!options.public_key || options.public_key->size() != 32) {
      return Error{ErrorCode::kInvalid, "--public-key is no Ed25519 key",
                   "give the 44 characters of base64 that an earlier `pawl verify` printed"};
    }
  }
  return options;
}

void print_counts(const audit::Report& report) {
  fmt::print("{} of {} in {}", counted(report.versions, "version"), counted(report.items, "item"),
             counted(report.tables.size(), "table"));
  if (report.first && report.last) {
    fmt::print(", from {} to {}", report.first->to_string(), report.last->to_string());
  }
  fmt::print(" ({} of objects, {})\n", sized(report.bytes), counted(report.pages, "ledger page"));
  for (const auto& [name, table] : report.tables) {
    fmt::print("  {}: {} of {}\n", name, counted(table.versions, "version"),
               counted(table.items, "item"));
  }
  if (report.unsealed > 0) {
    fmt::print(
        "  {} unsealed: objects of changes after the last page; a server that is running, or "
        "starts again, "
        "enters them\n",
        grouped(report.unsealed));
  }
  if (report.torn_pages > 0) {
    fmt::print(
        "  {} torn: a last page that a crash cut short; the next start of the server mends it\n",
        grouped(report.torn_pages));
  }
  if (report.foreign + report.repaired > 0) {
    fmt::print(
        "  {} written by somebody else and checked{}, {} put in by Pawl\n", grouped(report.foreign),
        report.redelivered == 0 ? ""
                                : fmt::format(" ({} only when their function was asked again)",
                                              grouped(report.redelivered)),
        grouped(report.repaired));
  }
  if (report.put_back + report.lost > 0) {
    fmt::print("  {} put back after gaps; known lost: {}\n", counted(report.put_back, "version"),
               grouped(report.lost));
  }
  if (report.others > 0) {
    fmt::print("  {} that no page lists: somebody else's, from before the check, or of no change\n",
               counted(report.others, "object"));
  }
  if (report.kept + report.kept_unsealed > 0) {
    fmt::print("  {} replaced or deleted by others and kept ({})", counted(report.kept, "content"),
               sized(report.kept_bytes));
    if (report.kept_unsealed > 0)
      fmt::print(", {} not in the ledger yet", grouped(report.kept_unsealed));
    fmt::print("\n");
  }
  if (report.superseded > 0) {
    fmt::print(
        "  {} superseded: recorded, then left behind when an older data directory was adopted\n",
        grouped(report.superseded));
  }
}

void print_sound(const audit::Report& report) {
  if (report.gaps == 0) {
    fmt::print("{}\n", coloured(Colour::kGreen, "SOUND: nothing is missing, nothing was altered."));
    return;
  }
  fmt::print("{}\n",
             coloured(Colour::kYellow,
                      fmt::format("SOUND but with {} known {}: what the stream had no more, or "
                                  "never showed, is not here; nothing was altered.",
                                  grouped(report.gaps), report.gaps == 1 ? "gap" : "gaps")));
  for (const auto& gap : report.known_gaps) fmt::print("  - {}\n", printable(audit::to_text(gap)));
  if (report.gaps > report.known_gaps.size()) {
    fmt::print("  … and {} more\n", grouped(report.gaps - report.known_gaps.size()));
  }
}

// What was in gaps: known to be nowhere any more.
void print_lost(const audit::Report& report) {
  if (report.lost == 0) return;
  fmt::print("{}\n",
             coloured(Colour::kYellow, fmt::format("Known lost: {} {}.", grouped(report.lost),
                                                   report.lost == 1 ? "entry" : "entries")));
  for (const auto& loss : report.known_lost)
    fmt::print("  - {}\n", printable(audit::to_text(loss)));
  if (report.lost > report.known_lost.size()) {
    fmt::print("  … and {} more\n", grouped(report.lost - report.known_lost.size()));
  }
}

// Versions whose objects somebody wrote again or deleted: their content is kept.
void print_kept(const audit::Report& report) {
  const auto all = report.rewritten + report.deleted;
  if (all == 0) return;
  fmt::print("{}\n", coloured(Colour::kYellow,
                              fmt::format("Rewritten: {}; deleted: {}. What they held is kept.",
                                          counted(report.rewritten, "version"),
                                          counted(report.deleted, "version"))));
  for (const auto& version : report.kept_versions)
    fmt::print("  - {}\n", printable(audit::to_text(version)));
  if (all > report.kept_versions.size())
    fmt::print("  … and {} more\n", grouped(all - report.kept_versions.size()));
}

void print_report(const audit::Report& report) {
  fmt::print("Archive {} ({})\n", report.archive, printable(report.archive_id));
  print_counts(report);
  if (report.sound()) {
    print_sound(report);
    print_lost(report);
    print_kept(report);
    fmt::print("Proven:\n");
    for (const auto& sentence : audit::proves(report)) fmt::print("  - {}\n", sentence);
  } else {
    fmt::print("{}\n", coloured(Colour::kRed,
                                fmt::format("DAMAGED: {} {}.", grouped(report.findings_total),
                                            report.findings_total == 1 ? "finding" : "findings")));
    for (const auto& finding : report.findings)
      fmt::print("  - {}\n", printable(audit::to_text(finding)));
    if (report.findings_total > report.findings.size()) {
      fmt::print("  … and {} more\n", grouped(report.findings_total - report.findings.size()));
    }
  }
  if (!report.sound()) print_kept(report);
  fmt::print("Assumed:\n");
  for (const auto& sentence : audit::assumes(report)) fmt::print("  - {}\n", sentence);
  if (report.head) {
    fmt::print("Head: {} ({})\n", report.head->to_hex(),
               report.head_instant ? report.head_instant->to_string() : "");
    fmt::print(
        "  Keep it elsewhere: `pawl verify --head` then excludes that anything up to it was cut "
        "off.\n");
  }
}

int run_verify(const VerifyArguments& arguments) {
  auto options = options_of(arguments);
  if (!options.ok()) return could_not(options.error());
  const auto archive = open_archive(arguments.archive);
  if (!archive.ok()) return could_not(archive.error());
  ProgressLine progress;
  options->progress = [&progress](std::string_view phase, std::uint64_t done, std::uint64_t total) {
    progress.show(phase, done, total);
  };
  const auto report = audit::verify(**archive, *options);
  progress.erase();
  if (!report.ok()) return could_not(report.error());
  if (arguments.json) {
    fmt::print("{}", audit::to_json(*report));
  } else {
    print_report(*report);
  }
  return report->sound() ? kExitGood : kExitFound;
}

}  // namespace

void add_verify(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "verify", "Prove from an archive alone, offline, that no version is missing or altered");
  const auto arguments = std::make_shared<VerifyArguments>();
  add_archive_argument(*command, arguments->archive);
  command->add_flag("--deep", arguments->deep, "Read every object and recompute its digest");
  command->add_option(
      "--head", arguments->head,
      "A digest that an earlier verify or status printed: excludes truncation and rewriting");
  command->add_option(
      "--until", arguments->until,
      "An instant (2026-11-22T18:00:00Z) up to which every open shard must be proven");
  command->add_option("--public-key", arguments->public_key,
                      "The ledger's signing key, base64: pins it");
  command->add_option("--memory", arguments->memory_mib, "MiB for sorting; the rest goes to --tmp")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--tmp", arguments->tmp, "Folder for what does not fit in memory")
      ->capture_default_str();
  command->add_flag("--json", arguments->json,
                    "One JSON document (docs/schemas/verify.schema.json)");
  command->footer(
      "Exit status: 0 sound (also with known gaps in a table that Pawl guards), 1 something is "
      "wrong, 2 it could not run.");
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_verify(*arguments); }; });
}

}  // namespace pawl::cli
