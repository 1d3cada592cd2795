// Archives of guarded tables that the verifier's tests make themselves, from docs/internals/archive-format.md alone.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "audit/archive_builder_test.h"

namespace pawl::audit::guarded {

inline const std::string kTable = "00000000000000f1";

inline std::string chain(std::uint32_t number) { return fmt::format("{}-{:04x}", kTable, number); }

struct Guarded {
  std::string item;
  std::string source;
  std::string kind;
  std::string old_value{};  // "" = null; "4:x" = version attribute 4, value x
  std::string new_value{};
  std::optional<std::string> gap = std::nullopt;
  std::optional<std::uint64_t> lie = std::nullopt;  // the version that page and body state instead
  std::string theirs =
      "";  // somebody else's object: what it holds, under the name "theirs/<item>-<version>"
  std::string mark =
      "";  // of the entry: `"foreign":true` where it is theirs, unless this says otherwise
};

// Adds to Builder what "Guarded tables" says.
class GuardedBuilder : public Builder {
 public:
  explicit GuardedBuilder(bool checked = false) {
    guard(kTable, "users", checked ? R"(,"objects":"foreign")" : "");
  }

  void guard(const std::string& incarnation, const std::string& table,
             const std::string& more = "") {
    root(fmt::format(
        R"({{"type":"table-guarded","incarnation":"{}","table":"{}","arn":"arn:t","definition":{{"partition_key":{{"name":"id","type":"S"}},"template":"{{key}}","version_attribute":"_version"{}}}}})",
        incarnation, table, more));
  }
  void open(std::uint32_t number, const std::string& more = "", const std::string& source = "") {
    root(fmt::format(
        R"({{"type":"shard-opened","incarnation":"{}","shard":"{}","stream":"arn:s","source":"{}"{}}})",
        kTable, chain(number), source.empty() ? fmt::format("shardId-{}", number) : source, more));
  }
  void open_child(std::uint32_t number, std::uint32_t parent, const std::string& more = "") {
    open(number, fmt::format(R"(,"parent":"{}"{})", chain(parent), more));
  }
  void close(std::uint32_t number, const std::string& more = "") {
    const auto& state = chains[chain(number)];
    close(number, state.last, state.pages, state.previous, more);
  }
  void close(std::uint32_t number, std::uint64_t last, std::uint64_t pages, const Digest& digest,
             const std::string& more = "") {
    root(fmt::format(
        R"({{"type":"shard-closed","incarnation":"{}","shard":"{}","last":{},"pages":{}{}{}}})",
        kTable, chain(number), last, pages,
        pages == 0 ? "" : fmt::format(R"(,"digest":"{}")", digest.to_hex()), more));
  }

  static std::string image(const std::string& item, const std::string& value) {
    if (value.empty()) return "null";
    const auto colon = value.find(':');
    const auto version =
        colon == 0 ? "" : fmt::format(R"("_version":{{"N":"{}"}},)", value.substr(0, colon));
    return fmt::format(R"({{{}"id":{{"S":"{}"}},"v":{{"S":"{}"}}}})", version, item,
                       value.substr(colon + 1));
  }
  static std::optional<std::uint64_t> version_of(const Guarded& change) {
    if (change.lie) return change.lie;
    const auto& value = change.kind == "REMOVE" ? change.old_value : change.new_value;
    const auto colon = value.find(':');
    if (value.empty() || colon == 0) return std::nullopt;
    return std::stoull(value.substr(0, colon));
  }
  // The service's clock goes its own way.
  static std::string time_of(std::uint64_t sequence) { return instant_at(1000 - sequence); }

  static std::string body(const std::string& shard, std::uint64_t sequence, const Guarded& change) {
    const auto version = version_of(change);
    return fmt::format(
        R"({{"format":"pawl-version/2","table":"users","incarnation":"{}","shard":"{}","sequence":{},"source":"{}","key":{{"id":{{"S":"{}"}}}},"version":{},"kind":"{}","instant":"{}","new":{},"old":{}}})"
        "\n",
        kTable, shard, sequence, change.source, change.item,
        version ? std::to_string(*version) : "null", change.kind, time_of(sequence),
        image(change.item, change.new_value), image(change.item, change.old_value));
  }
  static std::string name_of(std::uint32_t number, std::uint64_t sequence, const Guarded& change) {
    if (!change.theirs.empty())
      return fmt::format("theirs/{}-{}", change.item, version_of(change).value_or(0));
    return fmt::format("users/{}-{}{}", number, sequence,
                       change.mark.find("repaired") == std::string::npos ? "" : "~repaired");
  }

  std::string entry(std::uint32_t number, std::uint64_t sequence, const Guarded& change,
                    const std::string& content) const {
    const auto version = version_of(change);
    return fmt::format(
        R"({{"sequence":{},"source":"{}","key":{{"id":{{"S":"{}"}}}},{}"kind":"{}","instant":"{}","object":"{}"{}{}{}}})",
        sequence, change.source, change.item,
        version ? fmt::format(R"("version":{},)", *version) : "", change.kind, time_of(sequence),
        name_of(number, sequence, change),
        change.mark == R"(,"missing":true)"
            ? ""
            : fmt::format(R"(,"size":{},"sha256":"{}")", content.size(), sha256(content).to_hex()),
        !change.theirs.empty() && change.mark.empty() ? R"(,"foreign":true)" : change.mark,
        change.gap ? fmt::format(R"(,"gap":"{}")", *change.gap) : "");
  }

  // Stores the objects and a page of them.
  void page(std::uint32_t number, const std::vector<Guarded>& changes) {
    auto& state = chains[chain(number)];
    const auto first = state.last + 1;
    std::string entries;
    for (const auto& change : changes) {
      ++state.last;
      const auto content =
          change.theirs.empty() ? body(chain(number), state.last, change) : change.theirs;
      archive.files[name_of(number, state.last, change)] = content;
      entries += (entries.empty() ? "" : ",") + entry(number, state.last, change, content);
    }
    raw_page(chain(number), first, state.last, entries);
  }

  void end() {
    checkpoint();
    tip();
  }
};

// Chain 1 splits into 2 and 3. Item a: versions 7 to 9, removed, and anew from 0; b has no versions, and moves to 3.
inline GuardedBuilder sound_archive() {
  GuardedBuilder builder;
  builder.open(1);
  builder.page(1, {{"a", "9", "MODIFY", "6:x", "7:y"}, {"b", "10", "INSERT", "", ":p"}});
  builder.page(1, {{"a", "100000000003498069978", "MODIFY", "7:y", "8:z"}});
  builder.close(1);
  builder.open_child(2, 1);
  builder.open_child(3, 1);
  builder.page(2, {{"a", "100000000003498069980", "MODIFY", "8:z", "9:z"},
                   {"a", "100000000003498069990", "REMOVE", "9:z", ""}});
  builder.page(2, {{"a", "100000000003498069999", "INSERT", "", "0:n"}});
  builder.page(3, {{"b", "100000000003498069979", "MODIFY", ":p", ":q"}});
  builder.end();
  return builder;
}

// One open chain with these changes.
inline GuardedBuilder one_chain(const std::vector<Guarded>& changes) {
  GuardedBuilder builder;
  builder.open(1);
  builder.page(1, changes);
  builder.end();
  return builder;
}

inline std::vector<FindingKind> shallow_kinds(GuardedBuilder builder) {
  return kinds(run(builder.archive));
}
inline std::vector<FindingKind> deep_kinds(GuardedBuilder builder) {
  return kinds(run(builder.archive, deep));
}

}  // namespace pawl::audit::guarded
