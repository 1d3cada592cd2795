#include "cli/guard_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/json_writer.h"
#include "cli/terminal.h"
#include "port/table_stream.h"

namespace pawl::cli {
namespace {

using guard::PreflightLine;

// Of a lag below this nothing is said but that there is none to speak of: the service tells whole seconds.
constexpr Duration kNoLag = std::chrono::seconds(3);

std::string verdict_word(PreflightLine::Verdict verdict) {
  switch (verdict) {
    case PreflightLine::Verdict::kGood:
      return coloured(Colour::kGreen, "ok  ");
    case PreflightLine::Verdict::kNote:
      return coloured(Colour::kYellow, "note");
    case PreflightLine::Verdict::kRefused:
      break;
  }
  return coloured(Colour::kRed, "NO  ");
}

// "23 h 59 min", "2 min 5 s", "4 s".
std::string rough(Duration duration) {
  const auto seconds = duration.count() / 1'000'000;
  if (seconds >= 3600) return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
  if (seconds >= 60) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} s", seconds);
}

std::string lag_text(const guard::WorkerStatus& status) {
  if (status.shards.empty()) return "reads nothing";
  const auto lag = status.lag();
  if (!lag) return "lag not known yet";
  const Duration left = std::max(kStreamRetention - *lag, Duration{0});
  const auto until = fmt::format("{} left until records may be trimmed", rough(left));
  if (*lag < kNoLag) return "lag below 3 s";
  const bool urgent = left < std::chrono::hours(6);
  return fmt::format("lag {}, {}", rough(*lag), urgent ? coloured(Colour::kRed, until) : until);
}

void append_rules(JsonWriter& json, const guard::CheckRules& rules) {
  json.field("deadline_s", static_cast<std::uint64_t>(rules.deadline.count() / 1'000'000))
      .field("on_missing", rules.writes ? "write" : "alert");
}

void append_counts(JsonWriter& json, const guard::CheckCounts& counts) {
  json.field("found", counts.found)
      .field("late", counts.late)
      .field("missing", counts.missing)
      .field("removals", counts.removals)
      .field("written", counts.written);
}

const char* view_name(StreamView view) {
  static constexpr const char* kNames[] = {"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE",
                                           "NEW_AND_OLD_IMAGES"};
  return kNames[static_cast<std::size_t>(view)];
}

}  // namespace

void print_preflight(const server::GuardRecord& guard, const guard::Preflight& found) {
  for (const auto& line : found.lines) {
    fmt::print("  {}  {:<10} {}\n", verdict_word(line.verdict), line.what, printable(line.found));
    if (!line.to_do.empty()) fmt::print("                   {}\n", printable(line.to_do));
  }
  const bool check = guard.config().check.has_value();
  const auto cost = guard::estimate_cost(found.open_shards, check);
  fmt::print(
      "        cost       about {:.2f} USD a month for polling {}, {:.2f} for the leases of each "
      "worker, and {:.2f} to {:.2f} for a million changes ({}, and a page for one or "
      "many); storage not counted\n",
      cost.polling, counted(found.open_shards, "open shard"), cost.leases,
      cost.per_million_changes_least, cost.per_million_changes_most,
      check ? "2 to 16 looks at each object" : "an object each");
}

void print_preflight_json(const server::GuardRecord& guard, const guard::Preflight& found) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("schema", "pawl-guard-preflight/1")
      .field("verdict", found.refused() ? "refused" : "good")
      .field("table", found.facts.name)
      .field("arn", found.facts.arn)
      .field("archive", guard.config().archive.to_option())
      .field("lease_table", guard.config().lease_table)
      .field("template", guard.config().names);
  if (guard.config().version_attribute)
    json.field("version_attribute", *guard.config().version_attribute);
  if (const auto& check = guard.config().check) append_rules(json, *check);
  if (found.facts.stream) {
    json.key("stream").begin_object();
    json.field("arn", found.facts.stream->arn)
        .field("enabled", found.facts.stream->enabled)
        .field("view", view_name(found.facts.stream->view))
        .field("shards", found.shards)
        .field("open_shards", found.open_shards)
        .end_object();
  }
  json.field("workers", found.workers).key("lines").begin_array();
  for (const auto& line : found.lines) {
    json.begin_object()
        .field("verdict", name_of(line.verdict))
        .field("what", line.what)
        .field("found", line.found);
    if (!line.to_do.empty()) json.field("to_do", line.to_do);
    json.end_object();
  }
  const auto cost = guard::estimate_cost(found.open_shards, guard.config().check.has_value());
  json.end_array().key("usd_a_month").begin_object();
  json.key("polling").raw(fmt::format("{:.2f}", cost.polling));
  json.key("leases_of_a_worker").raw(fmt::format("{:.2f}", cost.leases));
  json.key("million_changes_least").raw(fmt::format("{:.2f}", cost.per_million_changes_least));
  json.key("million_changes_most").raw(fmt::format("{:.2f}", cost.per_million_changes_most));
  json.end_object().key("iam_policy").raw(guard::iam_policy(guard.policy_names())).end_object();
  fmt::print("{}\n", out);
}

std::string status_line(const guard::WorkerStatus& status) {
  std::uint64_t in_hand = 0;
  std::uint64_t archived = 0;
  std::uint64_t gaps = 0;
  std::uint64_t renamed = 0;
  std::string why = status.why;
  for (const auto& shard : status.shards) {
    in_hand += shard.in_hand;
    archived += shard.archived.value;
    gaps += shard.gaps;
    renamed += shard.renamed;
    if (why.empty()) why = shard.why;
  }
  auto line = fmt::format("worker {}{}: {}, {} in the ledger of these, {}",
                          status.is_member ? status.id : "(joining)",
                          status.owns_root ? " (root)" : "", counted(status.shards.size(), "shard"),
                          counted(archived, "change"), lag_text(status));
  if (in_hand > 0) line += fmt::format("; {} read and not yet in it", grouped(in_hand));
  if (gaps > 0)
    line += "; " + coloured(Colour::kRed, counted(gaps, "gap") + " entered") +
            " (run `pawl guard repair`)";
  if (renamed > 0) line += fmt::format("; {} whose name was taken", counted(renamed, "change"));
  if (status.unread > 0)
    line += fmt::format("; {} not read by anybody", counted(status.unread, "shard"));
  if (status.waiting > 0)
    line += fmt::format("; {} waiting for its parent", counted(status.waiting, "shard"));
  line += fmt::format("; {}", counted(status.others, "other worker"));
  if (!why.empty()) line += "; last trouble: " + printable(why);
  return line;
}

std::string counts_text(const guard::CheckCounts& counts) {
  auto text = grouped(counts.found) + " found";
  if (counts.late > 0) text += fmt::format(" ({} after the deadline)", grouped(counts.late));
  if (counts.missing == 0) return text + ", none missing";
  text += ", " + coloured(Colour::kRed, grouped(counts.missing) + " missing");
  if (counts.removals > 0) text += fmt::format(" ({} of removals)", grouped(counts.removals));
  if (counts.written > 0) text += fmt::format(", {} put in", grouped(counts.written));
  return text;
}

std::string check_status_json(const server::GuardRecord& guard, const guard::WorkerStatus& status,
                              const guard::CheckCounts& counts, bool ended) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("schema", "pawl-guard-check/1")
      .field("table", guard.config().table)
      .field("bucket", guard.config().archive.to_option());
  append_rules(json, *guard.config().check);
  json.field("ended", ended)
      .field("worker", status.id)
      .field("member", status.is_member)
      .field("root", status.owns_root)
      .field("others", static_cast<std::uint64_t>(status.others));
  append_counts(json, counts);
  if (const auto lag = status.lag(); lag && !status.shards.empty())
    json.field("lag_s", static_cast<std::uint64_t>(lag->count() / 1'000'000));
  std::string why = status.why;
  json.key("shards").begin_array();
  for (const auto& shard : status.shards) {
    if (why.empty()) why = shard.why;
    json.begin_object()
        .field("chain", shard.source.id.to_string())
        .field("shard", shard.source.shard)
        .field("in_ledger", shard.archived.value)
        .field("in_hand", static_cast<std::uint64_t>(shard.in_hand))
        .field("gaps", shard.gaps);
    append_counts(json, shard.checked);
    json.end_object();
  }
  json.end_array();
  if (!why.empty()) json.field("trouble", why);
  json.end_object();
  return out;
}

}  // namespace pawl::cli
