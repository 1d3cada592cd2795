#include "cli/status_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "cli/json_objects.h"
#include "cli/terminal.h"
#include "item/json_fields.h"

namespace pawl::cli {
namespace {

constexpr std::size_t kStatusBytesMax = std::size_t{64} << 20;
constexpr std::size_t kIncarnationDigits = 16;  // a shard is INCARNATION-NUMBER
// From best to worst: a table is as well as its worst shard.
constexpr std::array<std::string_view, 5> kStates{"idle", "flowing", "unproven", "lagging",
                                                  "stalled"};

std::size_t badness(std::string_view state) {
  const auto* const found = std::find(kStates.begin(), kStates.end(), state);
  return static_cast<std::size_t>(found - kStates.begin());
}

void add_shard(item::JsonFields& shard, StatusPage& page,
               std::map<std::string, std::size_t>& place) {
  const std::string id = printable(shard.text("shard"));
  const std::string incarnation = id.substr(0, kIncarnationDigits);
  const std::string name = printable(shard.text("table"));
  const std::string state = printable(shard.text("state"));
  const auto [found, is_new] = place.try_emplace(incarnation, page.tables.size());
  if (is_new) {
    TableLine& gone = page.tables.emplace_back();
    gone.table = name;
    gone.incarnation = incarnation;
    gone.recorded = gone.deleted = true;
  }
  TableLine& table = page.tables[found->second];
  table.committed += shard.number("committed");
  table.archived += shard.number("archived");
  table.lag += shard.number("lag");
  table.oldest_age_ms =
      std::max(table.oldest_age_ms, shard.optional_number("oldest_age_ms").value_or(0));
  if (table.state.empty() || badness(state) > badness(table.state)) table.state = state;
  if (state == "idle" || state == "flowing") return;
  page.shards.push_back({id, name, state, printable(shard.optional_text("where").value_or("")),
                         printable(shard.optional_text("why").value_or("")),
                         printable(shard.optional_text("stalled_since").value_or(""))});
}

Status read_tables(item::JsonFields& fields, StatusPage& page) {
  std::map<std::string, std::size_t> place;  // by incarnation
  PAWL_ASSIGN_OR_RETURN(const auto tables, objects_of(fields, "tables"));
  for (const auto& object : tables) {
    item::JsonFields table(object, "a table of the status");
    TableLine line;
    line.table = printable(table.text("table"));
    line.incarnation = printable(table.text("incarnation"));
    line.recorded = table.boolean_or("recorded", true);
    line.items = table.number("items");
    PAWL_TRY(table.status());
    place.emplace(line.incarnation, page.tables.size());
    page.tables.push_back(std::move(line));
  }
  PAWL_ASSIGN_OR_RETURN(const auto shards, objects_of(fields, "shards"));
  for (const auto& object : shards) {
    item::JsonFields shard(object, "a shard of the status");
    add_shard(shard, page, place);
    PAWL_TRY(shard.status());
  }
  return ok();
}

Status read_mappings(item::JsonFields& fields, StatusPage& page) {
  if (!fields.element("mappings")) return ok();
  PAWL_ASSIGN_OR_RETURN(const auto mappings, objects_of(fields, "mappings"));
  for (const auto& object : mappings) {
    item::JsonFields mapping(object, "a mapping of the status");
    MappingLine line;
    line.function = printable(mapping.text("function"));
    line.table = printable(mapping.text("table"));
    line.state = printable(mapping.text("state"));
    line.last_result = printable(mapping.text("last_result"));
    line.why = printable(mapping.optional_text("why").value_or(""));
    line.lag = mapping.number("lag");
    line.oldest_age_ms = mapping.optional_number("oldest_age_ms").value_or(0);
    line.delivered = mapping.number("delivered");
    line.dead_letters = mapping.number("dead_letters");
    PAWL_TRY(mapping.status());
    page.mappings.push_back(std::move(line));
  }
  return ok();
}

Status read_alarms(item::JsonFields& fields, StatusPage& page) {
  PAWL_ASSIGN_OR_RETURN(const auto alarms, objects_of(fields, "alarms"));
  for (const auto& object : alarms) {
    item::JsonFields alarm(object, "an alarm of the status");
    page.alarms.push_back({printable(alarm.text("kind")), printable(alarm.text("subject")),
                           printable(alarm.text("text")),
                           printable(alarm.optional_text("since").value_or("")),
                           alarm.boolean_or("standing", true)});
    PAWL_TRY(alarm.status());
  }
  return ok();
}

Colour colour_of(std::string_view state) {
  if (state == "stalled") return Colour::kRed;
  if (state == "lagging" || state == "unproven") return Colour::kYellow;
  return Colour::kGreen;
}

void append_tables(std::string& out, const StatusPage& page) {
  auto to = std::back_inserter(out);
  if (page.tables.empty()) {
    fmt::format_to(to, "No tables yet.\n");
    return;
  }
  std::size_t width = 5;
  for (const auto& table : page.tables) width = std::max(width, table.table.size());
  fmt::format_to(to, "{:<{}}  {:>12}  {:>14}  {:>14}  {:>10}  {}\n", "TABLE", width, "ITEMS",
                 "VERSIONS", "ARCHIVED", "LAG", "STATE");
  for (const auto& table : page.tables) {
    if (!table.recorded) {
      fmt::format_to(to, "{:<{}}  {:>12}  {:>14}  {:>14}  {:>10}  {}\n", table.table, width,
                     grouped(table.items), "-", "-", "-", coloured(Colour::kDim, "not recorded"));
      continue;
    }
    std::string state = table.state.empty() ? "unproven" : table.state;
    state = coloured(colour_of(state), state);
    if (table.lag > 0 && table.oldest_age_ms > 0) {
      state += fmt::format(", the oldest waits since {:.1f} s",
                           static_cast<double>(table.oldest_age_ms) / 1000);
    }
    if (table.deleted) state += ", deleted";
    fmt::format_to(to, "{:<{}}  {:>12}  {:>14}  {:>14}  {:>10}  {}\n", table.table, width,
                   table.deleted ? "-" : grouped(table.items), grouped(table.committed),
                   grouped(table.archived), grouped(table.lag), state);
  }
}

void append_mappings(std::string& out, const StatusPage& page) {
  auto to = std::back_inserter(out);
  for (const MappingLine& mapping : page.mappings) {
    fmt::format_to(to, "mapping {} of {}: {}, {} delivered, lag {}", mapping.function,
                   mapping.table, mapping.state, grouped(mapping.delivered), grouped(mapping.lag));
    if (mapping.lag > 0 && mapping.oldest_age_ms > 0) {
      fmt::format_to(to, ", the oldest waits since {:.1f} s",
                     static_cast<double>(mapping.oldest_age_ms) / 1000);
    }
    if (mapping.dead_letters > 0) {
      fmt::format_to(
          to, ", {}",
          coloured(Colour::kYellow, fmt::format("{} dead letters", grouped(mapping.dead_letters))));
    }
    if (!mapping.why.empty()) {
      fmt::format_to(to, "; {}: {}", coloured(Colour::kYellow, mapping.last_result), mapping.why);
    }
    out += '\n';
  }
}

}  // namespace

Result<StatusPage> parse_status(std::string_view json) {
  simdjson::dom::parser parser;
  PAWL_ASSIGN_OR_RETURN(const auto object, item::parse_stored_object(parser, json, kStatusBytesMax,
                                                                     "the server's status"));
  item::JsonFields fields(object, "the server's status");
  fields.expect("schema", "pawl-status/1");
  StatusPage page;
  page.software = printable(fields.text("software"));
  page.profile = printable(fields.text("profile"));
  page.endpoint = printable(fields.text("endpoint"));
  page.data = printable(fields.text("data"));
  page.archive = printable(fields.text("archive"));
  page.now = printable(fields.text("now"));
  page.writes_taken = fields.text("writes") == "taken";
  page.lag = fields.number("lag");
  page.stalled_shards = fields.number("stalled_shards");
  PAWL_TRY(fields.status());
  PAWL_TRY(read_tables(fields, page));
  PAWL_TRY(read_mappings(fields, page));
  PAWL_ASSIGN_OR_RETURN(page.expectations, read_expectations(fields));
  PAWL_ASSIGN_OR_RETURN(page.work, read_work(fields));
  PAWL_TRY(read_alarms(fields, page));
  PAWL_TRY(fields.status());
  return page;
}

std::string to_text(const StatusPage& page) {
  std::string out;
  auto to = std::back_inserter(out);
  fmt::format_to(to, "{} · profile {} · {}\n", coloured(Colour::kBold, page.software), page.profile,
                 page.now);
  fmt::format_to(to, "  endpoint  {}\n  data      {}\n  archive   dir:{}\n", page.endpoint,
                 page.data, page.archive);
  fmt::format_to(
      to, "  writes    {}\n",
      page.writes_taken ? coloured(Colour::kGreen, "taken") : coloured(Colour::kRed, "REFUSED"));
  append_tables(out, page);
  for (const auto& shard : page.shards) {
    fmt::format_to(to, "{} shard {} of {}{}{}{}\n",
                   coloured(colour_of(shard.state), shard.state + ":"), shard.shard, shard.table,
                   shard.where.empty() ? "" : ", at " + shard.where,
                   shard.since.empty() ? "" : ", since " + shard.since,
                   shard.why.empty() ? "" : ": " + shard.why);
  }
  append_mappings(out, page);
  append_expectations(out, page.expectations);
  append_work(out, page.work);
  for (const auto& alarm : page.alarms) {
    const auto head = alarm.standing ? coloured(Colour::kRed, "ALARM " + alarm.kind + ":")
                                     : coloured(Colour::kYellow, "noted " + alarm.kind + ":");
    fmt::format_to(to, "{} {}{}{}\n", head, alarm.text,
                   alarm.subject.empty() ? "" : " (" + alarm.subject + ")",
                   alarm.since.empty() ? "" : ", since " + alarm.since);
  }
  if (page.is_well()) fmt::format_to(to, "{}\n", coloured(Colour::kGreen, "All is well."));
  return out;
}

}  // namespace pawl::cli
