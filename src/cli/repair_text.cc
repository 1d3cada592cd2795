#include <fmt/format.h>

#include <memory>

#include "cli/repair_output.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

using Outcome = RepairEntry::Outcome;

constexpr std::size_t kShownMax = 100;

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

const char* words_of(audit::Recovery::Source source) {
  static constexpr const char* kWords[] = {"the stream", "the next change's old image",
                                           "the table"};
  return kWords[static_cast<std::size_t>(source)];
}

// "from the stream until …, else from the table until its next write".
std::string sources(const RepairEntry& entry) {
  std::string text;
  for (const auto& way : entry.ways) {
    text += fmt::format("{}from {} until {}", text.empty() ? "" : ", else ", words_of(way.source),
                        way.until ? way.until->to_string() : "its next write");
  }
  return text;
}

class Text final : public RepairOutput {
 public:
  explicit Text(const audit::NamePattern& pattern) : pattern_(pattern) {}

  void entry(const RepairEntry& entry) override {
    ++entries_;
    if (shown_.size() < kShownMax) shown_.push_back(to_line(entry));
  }

  void end(const GapsReport& search, const RepairReport& report) override {
    const auto& names = search.names;
    fmt::print("{}: {} of {}, as '{}'\n", printable(search.bucket),
               counted(names.versions, "version"), counted(names.items, "item"),
               printable(pattern_.text()));
    print_verdict(search, report);
    for (const auto& line : shown_) fmt::print("  {}\n", line);
    if (entries_ > shown_.size())
      fmt::print("  ... and {} more; --json lists all\n", grouped(entries_ - shown_.size()));
    if (report.count(Outcome::kLost) > 0) fmt::print("Lost: {}.\n", printable(report.where_not));
    if (report.count(Outcome::kNotFound) > 0)
      fmt::print("Not found: {}.\n", printable(report.where_not));
    if (report.stopped) fmt::print("Stopped by a signal. The next run goes on from here.\n");
    if (!report.trouble.empty()) {
      fmt::print("The store took no more: {}\nThe next run goes on from here.\n",
                 printable(report.trouble));
    }
    if (report.plan) fmt::print("This is a plan: nothing was written.\n");
  }

 private:
  std::string to_line(const RepairEntry& entry) const {
    const auto [from, to] = entry.versions;
    auto line = fmt::format("{}: {} ", printable(pattern_.label(entry.item())),
                            from == to ? std::to_string(from) : fmt::format("{}-{}", from, to));
    const auto name = printable(entry.name);
    switch (entry.outcome) {
      case Outcome::kPlanned:
        return line + fmt::format("{}, as {}", sources(entry), name);
      case Outcome::kPut:
        return line +
               fmt::format("put back from {}, as {}", words_of(entry.ways.front().source), name);
      case Outcome::kAlreadyThere:
        return line + fmt::format("already put back, as {}", name);
      case Outcome::kAppeared:
        return line + "has come meanwhile";
      case Outcome::kTaken:
        return line + fmt::format("not put: something else stands there as {}", name);
      case Outcome::kNotPut:
        return line + "not put: " + printable(entry.why);
      case Outcome::kNotFound:
        return line + "not found";
      case Outcome::kLost:
        break;
    }
    return line + "lost";
  }

  static void print_verdict(const GapsReport& search, const RepairReport& report) {
    const auto missing = search.totals.missing;
    if (missing == 0) {
      fmt::print("{}\n", coloured(Colour::kGreen,
                                  "NOTHING TO REPAIR: no version is missing that the names or the "
                                  "table show."));
      return;
    }
    std::uint64_t there = 0;
    for (const auto outcome : {Outcome::kPut, Outcome::kAlreadyThere, Outcome::kAppeared})
      there = saturating_add(there, report.count(outcome));
    auto verdict =
        report.plan ? fmt::format("PLAN: {} missing, of {}; {} can be put back",
                                  counted(missing, "version"), counted(search.totals.items, "item"),
                                  grouped(report.count(Outcome::kPlanned)))
                    : fmt::format("REPAIRED: {} of {} put back", grouped(there),
                                  counted(missing, "missing version"));
    const auto say = [&](Outcome outcome, std::string_view what) {
      const auto count = report.count(outcome);
      if (count > 0) verdict += fmt::format("; {} {}", grouped(count), what);
    };
    say(Outcome::kLost, "lost for good");
    say(Outcome::kNotFound, "not found");
    say(Outcome::kTaken, "whose place is taken");
    say(Outcome::kNotPut, report.plan ? "can't be" : "not put");
    const bool good = report.plan ? report.count(Outcome::kPlanned) == missing : report.complete();
    fmt::print("{}\n", coloured(good ? Colour::kGreen : Colour::kRed, verdict + "."));
  }

  const audit::NamePattern& pattern_;
  std::vector<std::string> shown_;
  std::uint64_t entries_ = 0;
};

}  // namespace

const char* name_of(RepairEntry::Outcome outcome) {
  static constexpr std::array<const char*, RepairEntry::kOutcomes> kNames{
      "planned", "put", "already-there", "appeared", "taken", "not-put", "not-found", "lost"};
  return kNames[static_cast<std::size_t>(outcome)];
}

void RepairReport::add(const RepairEntry& entry) {
  auto& count = counts[static_cast<std::size_t>(entry.outcome)];
  count = saturating_add(count, saturating_add(entry.versions.to - entry.versions.from, 1));
}

bool RepairReport::complete() const {
  for (const auto outcome :
       {Outcome::kPlanned, Outcome::kTaken, Outcome::kNotPut, Outcome::kNotFound, Outcome::kLost}) {
    if (count(outcome) > 0) return false;
  }
  return true;
}

std::unique_ptr<RepairOutput> make_repair_text(const audit::NamePattern& pattern) {
  return std::make_unique<Text>(pattern);
}

}  // namespace pawl::cli
