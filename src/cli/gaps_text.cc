#include <fmt/format.h>

#include <memory>

#include "cli/gaps_output.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

constexpr std::size_t kShownMax = 100;
constexpr std::uint64_t kVersionsShownMax = 3;  // of a hole, with where they still are

std::string quoted(const audit::OddNames& names) {
  std::string text;
  for (const auto& name : names.examples)
    text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", printable(name));
  return text + (names.count > names.examples.size() ? ", …" : "");
}

class Text final : public GapsOutput {
 public:
  Text(const audit::NamePattern& pattern, bool with_table)
      : pattern_(pattern), with_table_(with_table) {}

  Status hole(const audit::Gap& gap, const std::vector<audit::Recovery>& recoveries) override {
    if (shown_.size() < kShownMax) shown_.push_back(to_line(gap, recoveries));
    if (negative_looking_.empty() && gap.kind == audit::Gap::Kind::kBetween &&
        gap.item.head.ends_with("--"))
      negative_looking_ = fmt::format("{}{}{}", gap.item.head, gap.versions.to + 1, gap.item.tail);
    return ok();
  }

  void end(const GapsReport& report) override {
    const auto& names = report.names;
    fmt::print("{}: {} of {} among {}, as '{}'\n", printable(report.bucket),
               counted(names.versions, "version"), counted(names.items, "item"),
               counted(names.names, "name"), printable(pattern_.text()));
    if (names.repaired > 0) {
      fmt::print("{} of these {} there by repair only (NAME~repaired).\n", grouped(names.repaired),
                 names.repaired == 1 ? "is" : "are");
    }
    print_verdict(report);
    if (report.table) print_table(*report.table, report.totals);
    print_unread(names);
    if (!negative_looking_.empty()) {
      fmt::print(
          "Beware: \"{}\" is read as a key that ends with '-'. If your function writes negative "
          "versions, its item may lack nothing.\n",
          printable(negative_looking_));
    }
    fmt::print("Assumed:\n  - Every item begins at version {} (--first-version).\n",
               report.first_version);
    if (!report.table) {
      fmt::print(
          "  - What is missing after an item's newest version, and items without any, only the "
          "table can show (--table).\n");
    }
    fmt::print(
        "  - What is written while a bucket is listed can look as if it were missing: ask "
        "again.\n");
  }

 private:
  static std::string to_text(audit::VersionRange versions) {
    const auto [from, to] = versions;
    return from == to ? std::to_string(from) : fmt::format("{}-{}", from, to);
  }

  std::string to_line(const audit::Gap& gap, const std::vector<audit::Recovery>& recoveries) const {
    static constexpr const char* kKinds[] = {"", ", the newest", ", all that there were"};
    auto line = fmt::format("{}: {} missing{}", printable(pattern_.label(gap.item)),
                            to_text(gap.versions), kKinds[static_cast<int>(gap.kind)]);
    return with_table_ ? line + ways_back(gap, recoveries) : line;
  }

  // "; 4 is in the stream until …, in the table until its next write; the others can't be recovered from here".
  static std::string ways_back(const audit::Gap& gap,
                               const std::vector<audit::Recovery>& recoveries) {
    static constexpr const char* kWhere[] = {"in the stream", "in the next change's old image",
                                             "in the table"};
    std::string text;
    std::optional<std::uint64_t> version;
    std::uint64_t recoverable = 0;
    for (const auto& recovery : recoveries) {
      const bool another = recovery.version != version;
      version = recovery.version;
      recoverable += another ? 1 : 0;
      if (recoverable > kVersionsShownMax) continue;
      text += another ? fmt::format("; {} is ", recovery.version) : std::string(", ");
      text += fmt::format("{} until {}", kWhere[static_cast<int>(recovery.source)],
                          recovery.until ? recovery.until->to_string() : "its next write");
    }
    if (recoverable > kVersionsShownMax)
      text += fmt::format("; {} more are, too", grouped(recoverable - kVersionsShownMax));
    if (recoverable == 0) return text + "; not recoverable from here";
    const auto span = gap.versions.to - gap.versions.from;  // one less than there are
    return recoverable <= span ? text + "; the others are not recoverable from here" : text;
  }

  static void print_table(const GapsTableReport& table, const audit::GapTotals& totals) {
    fmt::print("Table {}: {}, {} of them without any object.\n", printable(table.name),
               counted(totals.table_items, "item"), grouped(totals.no_object));
    const auto say = [](std::uint64_t count, std::string_view noun, std::string_view what) {
      if (count > 0) fmt::print("  - {} {}\n", counted(count, noun), what);
    };
    say(totals.only_in_bucket, "item", "only in the bucket: deleted from the table. No gap.");
    say(totals.table_behind, "item",
        "whose version in the table is less than the newest object's: written anew, or restored?");
    say(table.unnamed, "item",
        "without a version, or an attribute of the template: not compared with the bucket.");
    if (!table.stream_not_read.empty()) {
      fmt::print("Stream: not read, {}.\n", printable(table.stream_not_read));
      return;
    }
    const auto& summary = table.summary;
    fmt::print("Stream: {} in {}{}.\n", counted(summary.records, "record"),
               counted(summary.shards, "shard"),
               summary.oldest ? ", since " + summary.oldest->to_string() : "");
    if (summary.shards_unread > 0) {
      fmt::print("  - {} could not be read to the end: {}\n",
                 counted(summary.shards_unread, "shard"), printable(summary.why_unread));
    }
    say(table.unreadable, "image", "without a version, or an attribute of the template.");
  }

  void print_verdict(const GapsReport& report) const {
    const auto& totals = report.totals;
    if (totals.holes == 0) {
      fmt::print("{}\n",
                 coloured(Colour::kGreen, "NO GAP: no item lacks a version below its newest."));
      return;
    }
    fmt::print("{}\n", coloured(Colour::kRed, fmt::format("GAPS: {} missing, of {}.",
                                                          counted(totals.missing, "version"),
                                                          counted(totals.items, "item"))));
    for (const auto& line : shown_) fmt::print("  {}\n", line);
    if (totals.holes > shown_.size()) {
      fmt::print("  ... and {} more; --json lists all\n", grouped(totals.holes - shown_.size()));
    }
  }

  static void print_unread(const audit::NameCounts& names) {
    const auto say = [](std::uint64_t count, std::string_view what, const std::string& examples) {
      if (count == 0) return;
      fmt::print("  - {} {}{}{}\n", counted(count, "name"), what, examples.empty() ? "" : ": ",
                 examples);
    };
    const auto odd = names.other.count + names.ambiguous.count + names.too_large.count +
                     names.mixed_zeros + names.pawl_ledger + names.pawl_removals +
                     names.pawl_others;
    if (odd == 0) return;
    fmt::print("Beside these:\n");
    say(names.other.count, "that the template doesn't give", quoted(names.other));
    say(names.ambiguous.count, "that it gives to more than one version", quoted(names.ambiguous));
    say(names.too_large.count, "with a version beyond 64 bits", quoted(names.too_large));
    say(names.mixed_zeros, "with leading zeros, of items that have versions without: not taken",
        names.mixed_zeros == 0 ? "" : fmt::format("\"{}\"", printable(names.mixed_zeros_item)));
    say(names.pawl_removals, "of deletions, as Pawl writes them (NAME.removed-N)", "");
    say(names.pawl_others, "with '~', as Pawl writes them: second objects under a name, and others",
        "");
    say(names.pawl_ledger,
        "below .pawl/: this is an archive of Pawl's, and `pawl verify` proves more of it", "");
  }

  const audit::NamePattern& pattern_;
  bool with_table_;
  std::vector<std::string> shown_;
  std::string negative_looking_;  // the first name such as "A--99.log" after a gap
};

}  // namespace

std::unique_ptr<GapsOutput> make_gaps_text(const audit::NamePattern& pattern, bool with_table) {
  return std::make_unique<Text>(pattern, with_table);
}

}  // namespace pawl::cli
