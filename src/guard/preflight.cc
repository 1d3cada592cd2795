#include "guard/preflight.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "guard/lease_rows.h"
#include "guard/stream_cursor.h"

namespace pawl::guard {
namespace {

using Verdict = PreflightLine::Verdict;

// Shards of a listing that are counted; a stream with more is served all the same.
constexpr std::size_t kPagesCounted = 100;
// Longer than the time between two beats of a worker (membership.h).
constexpr Duration kBeatsSeenIn = std::chrono::milliseconds(1500);
// So many open shards are read from, so often, as a worker would.
constexpr std::size_t kShardsTried = 2;
constexpr int kPollsTried = 6;
// Workers that start at once look at the same time, and would take each other for strangers: who finds no room waits until
// they are members, and looks again.
constexpr int kReadersTries = 3;
constexpr Duration kStartsWithin = std::chrono::seconds(2);

PreflightLine judge_stream(const SourceTableFacts& facts) {
  if (!facts.stream) {
    return {Verdict::kRefused, "stream", "the table has none, so no change can be seen",
            fmt::format("enable it: aws dynamodb update-table --table-name {} "
                        "--stream-specification "
                        "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES",
                        facts.name)};
  }
  if (!facts.stream->enabled) {
    return {Verdict::kRefused, "stream", "it was disabled, so no change reaches anybody",
            "enable it again; it is followed under its new ARN"};
  }
  return {Verdict::kGood, "stream", facts.stream->arn, {}};
}

PreflightLine judge_view(StreamView view) {
  switch (view) {
    case StreamView::kNewAndOldImages:
      return {Verdict::kGood,
              "view type",
              "NEW_AND_OLD_IMAGES: each change proves the one before it",
              {}};
    case StreamView::kNewImage:
      return {Verdict::kNote, "view type",
              "NEW_IMAGE: versions are whole, but removals carry no image, and a change that is "
              "missing between two others shows by the version attribute alone",
              "a view can't be changed: only a new stream can have NEW_AND_OLD_IMAGES"};
    case StreamView::kOldImage:
    case StreamView::kKeysOnly:
      break;
  }
  return {Verdict::kRefused, "view type",
          "its records don't carry the new image, so there is no version to archive",
          "disable the stream, and enable it with NEW_AND_OLD_IMAGES (others that read it must "
          "follow its new ARN)"};
}

// Where somebody else names the objects: whether the template can be theirs, and tells their versions apart.
PreflightLine judge_their_names(const PreflightAsk& ask, bool versions) {
  const auto refused = [&ask](std::string_view why, std::string to_do) {
    return PreflightLine{Verdict::kRefused, "names", fmt::format("{}: {}", ask.name_template, why),
                         std::move(to_do)};
  };
  for (const auto* own : {"{sequence}", "{shard}"}) {
    if (ask.name_template.find(own) == std::string::npos) continue;
    return refused(
        fmt::format("{} is a number of Pawl's own ledger, so no function can know it", own),
        "give --name as the function names its objects");
  }
  if (ask.name_template.find("{source}") != std::string::npos)
    return {
        Verdict::kGood, "names", ask.name_template + ": every change has a name of its own", {}};
  if (!versions) {
    return refused(
        "nothing in it tells the versions of an item apart, so each overwrites the one before",
        "name the attribute that does with --version-attribute, or archive with `pawl guard "
        "record`");
  }
  return {Verdict::kNote, "names",
          fmt::format("{}: when an item is deleted and created again, with its counter started "
                      "again, the function overwrites its earlier versions, which no check brings "
                      "back",
                      ask.name_template),
          "`pawl guard record` keeps each under a name of its own"};
}

// Of a table that is replicated to other regions. Source: developer guide, "Global tables", and "DynamoDB Streams".
PreflightLine judge_replicas(const std::vector<std::string>& regions) {
  return {Verdict::kNote, "global table",
          fmt::format("replicas in {}: its shards serve one reader beside the replication, a write "
                      "in any region is in the stream of each, and of two writes at once to one "
                      "item the later wins in every region, so a counter may skip or repeat",
                      fmt::join(regions, ", ")),
          "guard it in one region (in another one each change would be archived once more), and "
          "let nothing else read this stream"};
}

bool is_key(const SourceTableFacts& facts, const std::string& attribute) {
  return attribute == facts.partition.name || (facts.sort && attribute == facts.sort->name);
}

PreflightLine judge_names(const PreflightAsk& ask, const SourceTableFacts& facts) {
  const auto has = [&ask](std::string_view placeholder) {
    return ask.name_template.find(placeholder) != std::string::npos;
  };
  const bool counted = ask.version_attribute && !is_key(facts, *ask.version_attribute) &&
                       (has("{" + *ask.version_attribute + "}") || has("{version}"));
  if (ask.check) return judge_their_names(ask, counted);
  if (has("{source}") || (has("{shard}") && has("{sequence}"))) {
    return {Verdict::kGood,
            "names",
            fmt::format("{}: every change has a name of its own", ask.name_template),
            {}};
  }
  const bool versions =
      has("{version}") || (ask.version_attribute && has("{" + *ask.version_attribute + "}"));
  const auto found = versions
                         ? fmt::format(
                               "{}: an item that is deleted and created again, with its counter "
                               "started again, meets names that are taken",
                               ask.name_template)
                         : fmt::format(
                               "{}: nothing in it tells the versions of an item apart, so only the "
                               "first has that name",
                               ask.name_template);
  return {Verdict::kNote, "names",
          found +
              "; nothing is overwritten: the object is then named NAME~SHARD-SEQUENCE, and the "
              "ledger says so",
          "with {source} in the template every name is its own"};
}

PreflightLine judge_versions(const PreflightAsk& ask) {
  if (!ask.version_attribute) {
    return {Verdict::kNote, "versions",
            "no attribute counts them: a change that is missing shows by the images alone",
            "if items have a counter, name it with --version-attribute"};
  }
  return {Verdict::kGood,
          "versions",
          fmt::format("'{}' counts them: one that is missing shows by its number",
                      *ask.version_attribute),
          {}};
}

PreflightLine refused_by(std::string what, const StreamError& error, std::string_view action) {
  auto to_do = error.hint;
  if (error.kind == StreamErrorKind::kDenied)
    to_do = fmt::format("allow {} on the table's streams (--preflight prints the policy)", action);
  return {Verdict::kRefused, std::move(what), error.message, std::move(to_do)};
}

// Counts shards; gives some that are open.
Awaitable<std::vector<std::string>> look_at_shards(TableStream& stream, Preflight& found) {
  std::vector<std::string> open;
  std::string after;
  for (std::size_t page = 0; page < kPagesCounted; ++page) {
    auto shards = co_await stream.shards(found.facts.stream->arn, after);
    if (!shards.ok()) {
      found.lines.push_back(refused_by("shards", shards.error(), "dynamodb:DescribeStream"));
      co_return std::vector<std::string>{};
    }
    for (const auto& shard : shards->shards) {
      if (!shard.open()) continue;
      ++found.open_shards;
      if (open.size() < kShardsTried) open.push_back(shard.id);
    }
    found.shards += shards->shards.size();
    after = shards->last_shard;
    if (after.empty()) break;
  }
  found.lines.push_back({Verdict::kGood,
                         "shards",
                         fmt::format("{} open, {} listed", found.open_shards, found.shards),
                         {}});
  co_return open;
}

Awaitable<void> wait(Clock& clock, Duration how_long) {
  const auto alarm = clock.make_alarm();
  const auto until = clock.monotonic() + how_long;
  while (clock.monotonic() < until) co_await alarm->wait_until(until);
}

// Workers of this guard that live: whose rows change while one looks. kNotFound: there is no such table yet.
Awaitable<Result<std::uint64_t>> count_workers(PreflightPorts& ports) {
  std::map<std::string, std::uint64_t> revisions;
  std::uint64_t alive = 0;
  const auto prefix = worker_row_name("");
  for (int look = 0; look < 2; ++look) {
    auto rows = co_await ports.leases.list(prefix);
    if (!rows.ok()) co_return rows.error();
    for (const auto& row : *rows) {
      const auto [place, is_new] = revisions.try_emplace(row.name, row.revision);
      if (!is_new && place->second != row.revision) ++alive;
    }
    if (revisions.empty()) break;
    if (look == 0) co_await wait(ports.clock, kBeatsSeenIn);
  }
  co_return alive;
}

Awaitable<PreflightLine> look_at_leases(PreflightPorts& ports, const std::string& table,
                                        Preflight& found) {
  const auto workers = co_await count_workers(ports);
  if (workers.ok()) {
    found.workers = *workers;
    co_return PreflightLine{
        Verdict::kGood,
        "leases",
        fmt::format("table {}: {} of this guard at work", table,
                    *workers == 1 ? "1 worker" : fmt::format("{} workers", *workers)),
        {}};
  }
  if (workers.error().code != ErrorCode::kNotFound)
    co_return PreflightLine{Verdict::kRefused, "leases", workers.error().message,
                            workers.error().hint};
  co_return PreflightLine{Verdict::kGood,
                          "leases",
                          fmt::format("table {} is not there yet, and is made at the start", table),
                          {}};
}

constexpr const char* kWhoReads =
    "the service tells nobody who reads a stream: `aws lambda list-event-source-mappings "
    "--event-source-arn` names its Lambda triggers, and of others only their owners know";

// Reads from an open shard as a worker would: whether that is allowed, and whether there is room for one more reader.
Awaitable<StreamResult<Unit>> try_shard(PreflightPorts& ports, const std::string& arn,
                                        const std::string& shard) {
  const StreamPosition newest{StreamPosition::At::kLatest, {}};
  auto iterator = co_await ports.stream.iterator(arn, shard, newest);
  if (!iterator.ok()) co_return iterator.error();
  auto next = std::move(iterator).value();
  for (int poll = 0; poll < kPollsTried && !next.empty(); ++poll) {
    auto records = co_await ports.stream.records(next, 1);
    if (!records.ok()) {
      // Allowed, and answered: the iterator alone is no good. (DynamoDB Local says so of an empty shard's newest position.)
      const auto kind = records.error().kind;
      if (kind == StreamErrorKind::kTrimmed || kind == StreamErrorKind::kExpiredIterator) break;
      co_return records.error();
    }
    next = std::move(records->next_iterator);
    co_await wait(ports.clock, kPollEvery);
  }
  co_return Unit{};
}

PreflightLine no_room(const std::string& shard) {
  return {Verdict::kRefused, "readers",
          fmt::format("shard {} has no room for one more: it serves two readers at most (one in a "
                      "global table), and a third would slow down all of them until records are "
                      "trimmed unread; {}",
                      shard, kWhoReads),
          "take one of the others away, or let it read what the guard archives"};
}

// Nothing: there was no room, which may have been another worker's look at its own start.
Awaitable<std::optional<PreflightLine>> try_shards(PreflightPorts& ports, const Preflight& found,
                                                   const std::vector<std::string>& shards,
                                                   bool last_try) {
  for (const auto& shard : shards) {
    const auto tried = co_await try_shard(ports, found.facts.stream->arn, shard);
    if (tried.ok()) continue;
    if (tried.error().kind != StreamErrorKind::kThrottled)
      co_return refused_by("readers", tried.error(),
                           "dynamodb:GetShardIterator and dynamodb:GetRecords");
    if (!last_try) co_return std::nullopt;
    co_return no_room(shard);
  }
  co_return PreflightLine{
      Verdict::kNote,
      "readers",
      fmt::format("a shard serves two at most (one in a global table). {} open {} read from for a "
                  "second or two and had room for one more, which says nothing of a reader that "
                  "stands still just now; all workers of this guard are one together. And {}",
                  shards.size(), shards.size() == 1 ? "shard was" : "shards were", kWhoReads),
      {}};
}

Awaitable<PreflightLine> look_at_readers(PreflightPorts& ports, Preflight& found,
                                         const std::vector<std::string>& shards) {
  for (int attempt = 1;; ++attempt) {
    if (found.workers > 0) {
      co_return PreflightLine{Verdict::kGood,
                              "readers",
                              "this guard reads already, and all of its workers are one together",
                              {}};
    }
    auto line = co_await try_shards(ports, found, shards, attempt == kReadersTries);
    if (line) co_return *std::move(line);
    co_await wait(ports.clock, kStartsWithin);
    const auto workers = co_await count_workers(ports);
    if (workers.ok()) found.workers = *workers;
  }
}

}  // namespace

std::string_view name_of(PreflightLine::Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return "good";
    case Verdict::kNote:
      return "note";
    case Verdict::kRefused:
      break;
  }
  return "refused";
}

bool Preflight::refused() const {
  return std::any_of(lines.begin(), lines.end(),
                     [](const auto& line) { return line.verdict == Verdict::kRefused; });
}

Awaitable<Result<Preflight>> preflight(PreflightPorts ports, PreflightAsk ask) {
  Preflight found;
  auto facts = co_await ports.table.describe();
  if (!facts.ok()) co_return facts.error();
  found.facts = std::move(facts).value();
  found.lines.push_back({Verdict::kGood,
                         "table",
                         fmt::format("{}, about {} items", found.facts.arn, found.facts.item_count),
                         {}});
  found.lines.push_back(judge_stream(found.facts));
  if (found.facts.stream) found.lines.push_back(judge_view(found.facts.stream->view));
  if (!found.facts.replicas.empty()) found.lines.push_back(judge_replicas(found.facts.replicas));
  auto leases = co_await look_at_leases(ports, ask.lease_table, found);
  found.lines.push_back(std::move(leases));
  if (found.facts.stream) {
    const auto shards = co_await look_at_shards(ports.stream, found);
    if (!shards.empty()) {
      auto line = co_await look_at_readers(ports, found, shards);
      found.lines.push_back(std::move(line));
    }
  }
  found.lines.push_back(judge_versions(ask));
  found.lines.push_back(judge_names(ask, found.facts));
  auto archive = co_await ports.probe_archive();
  if (archive.ok()) {
    found.lines.push_back({Verdict::kGood, "archive", std::move(archive).value(), {}});
  } else {
    found.lines.push_back(
        {Verdict::kRefused, "archive", archive.error().message, archive.error().hint});
  }
  co_return found;
}

Awaitable<Status> probe_leases(LeaseStore& leases, Random& random) {
  const auto name = worker_row_name(fmt::format("probe-{:016x}", random.next()));
  const auto failed = [](const LeaseResult& result) -> Status {
    return Error{ErrorCode::kUnavailable, "trying the table of leases: " + result.why,
                 "the credentials need dynamodb:GetItem, PutItem, DeleteItem and Scan on it"};
  };
  const auto value = encode_row(WorkerRow{});
  const auto first = co_await leases.put(name, 0, value);
  if (first.outcome != LeaseOutcome::kDone) co_return failed(first);
  // Another value, so that it can't be taken for the first put's.
  const auto other = value + " ";
  const auto second = co_await leases.put(name, 0, other);
  const auto wrong = co_await leases.erase(name, 2);
  const auto last = co_await leases.erase(name, 1);
  if (second.outcome == LeaseOutcome::kDone || wrong.outcome == LeaseOutcome::kDone) {
    co_return Error{ErrorCode::kInvalid,
                    "the engine of the table of leases ignores conditions, so two workers could "
                    "not be told apart",
                    "use an engine that honours ConditionExpression"};
  }
  if (last.outcome != LeaseOutcome::kDone) co_return failed(last);
  co_return ok();
}

}  // namespace pawl::guard
