#include "cli/gaps_output.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "base/json_writer.h"
#include "cli/terminal.h"
#include "item/utf8.h"

namespace pawl::cli {
namespace {

constexpr std::size_t kShownMax = 100;
constexpr std::size_t kWriteChunk = 64 << 10;

// A store can list any bytes; a JSON document is UTF-8.
std::string utf8(std::string_view bytes) {
  std::string text(bytes);
  if (item::is_utf8(text)) return text;
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return text;
}

std::string quoted(const audit::OddNames& names) {
  std::string text;
  for (const auto& name : names.examples)
    text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", printable(name));
  return text + (names.count > names.examples.size() ? ", …" : "");
}

class Text final : public GapsOutput {
 public:
  explicit Text(const audit::NamePattern& pattern) : pattern_(pattern) {}

  Status hole(const audit::Gap& gap) override {
    if (shown_.size() < kShownMax) shown_.push_back(to_line(gap));
    return ok();
  }

  void end(const GapsReport& report) override {
    const auto& names = report.names;
    fmt::print("{}: {} of {} among {}, as '{}'\n", printable(report.bucket),
               counted(names.versions, "version"), counted(names.items, "item"),
               counted(names.names, "name"), printable(pattern_.text()));
    print_verdict(report);
    print_unread(names);
    fmt::print("Assumed:\n  - Every item begins at version {} (--first-version).\n",
               report.first_version);
    fmt::print(
        "  - What is missing after an item's newest version, and items without any, no name can "
        "show.\n");
    fmt::print(
        "  - What is written while a bucket is listed can look as if it were missing: ask "
        "again.\n");
  }

 private:
  std::string to_line(const audit::Gap& gap) const {
    const auto [from, to] = gap.versions;
    return fmt::format("{}: {} missing", printable(pattern_.label(gap.item)),
                       from == to ? std::to_string(from) : fmt::format("{}-{}", from, to));
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
  std::vector<std::string> shown_;
};

class Json final : public GapsOutput {
 public:
  explicit Json(const audit::NamePattern& pattern) : pattern_(pattern), json_(out_) {
    json_.begin_object().field("schema", "pawl-gaps/1").key("holes").begin_array();
  }

  Status hole(const audit::Gap& gap) override {
    static constexpr const char* kKinds[] = {"between", "tail", "no-object"};
    json_.begin_object().field("item", utf8(pattern_.label(gap.item)));
    if (const auto key = pattern_.key_of(gap.item)) {
      json_.key("key").begin_object();
      for (const auto& [name, value] : *key) json_.field(name, utf8(value));
      json_.end_object();
    }
    json_.field("head", utf8(gap.item.head))
        .field("tail", utf8(gap.item.tail))
        .field("kind", kKinds[static_cast<int>(gap.kind)])
        .field("from", gap.versions.from)
        .field("to", gap.versions.to);
    json_.key("recovery").begin_array().end_array();
    json_.end_object();
    if (out_.size() >= kWriteChunk) flush();
    return ok();
  }

  void end(const GapsReport& report) override {
    const auto& names = report.names;
    json_.end_array()
        .field("bucket", utf8(report.bucket))
        .field("template", utf8(pattern_.text()))
        .field("version_attribute", utf8(pattern_.version_attribute()))
        .field("first_version", report.first_version)
        .field("names", names.names)
        .field("items", names.items)
        .field("versions", names.versions)
        .field("holes_total", report.totals.holes)
        .field("missing", report.totals.missing)
        .field("items_with_holes", report.totals.items);
    json_.key("not_matching").begin_object();
    write("other", names.other);
    write("ambiguous", names.ambiguous);
    write("too_large", names.too_large);
    json_.field("mixed_zeros", names.mixed_zeros)
        .field("folders", names.folders)
        .field("pawl_ledger", names.pawl_ledger)
        .field("pawl_removals", names.pawl_removals)
        .field("pawl_others", names.pawl_others)
        .end_object();
    json_.end_object();
    out_ += '\n';
    flush();
  }

 private:
  void write(std::string_view name, const audit::OddNames& names) {
    json_.key(name).begin_object().field("count", names.count).key("examples").begin_array();
    for (const auto& example : names.examples) json_.string(utf8(example));
    json_.end_array().end_object();
  }
  void flush() {
    std::fwrite(out_.data(), 1, out_.size(), stdout);
    out_.clear();
  }

  const audit::NamePattern& pattern_;
  std::string out_;
  JsonWriter json_;
};

}  // namespace

std::unique_ptr<GapsOutput> make_gaps_text(const audit::NamePattern& pattern) {
  return std::make_unique<Text>(pattern);
}
std::unique_ptr<GapsOutput> make_gaps_json(const audit::NamePattern& pattern) {
  return std::make_unique<Json>(pattern);
}

}  // namespace pawl::cli
