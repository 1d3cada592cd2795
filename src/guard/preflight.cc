#include "guard/preflight.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"
#include "guard/membership.h"
#include "guard/stream_cursor.h"

namespace pawl::guard {
namespace {

using Verdict = PreflightLine::Verdict;

// Shards of a listing that are counted; a stream with more is served all the same.
constexpr std::size_t kPagesCounted = 100;

PreflightLine judge_stream(const SourceTableFacts& facts) {
  if (!facts.stream) {
    return {Verdict::kRefused, "stream",
            "the table has none: enable it with NEW_AND_OLD_IMAGES (aws dynamodb update-table "
            "--stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES)"};
  }
  if (!facts.stream->enabled) {
    return {Verdict::kRefused, "stream",
            "it was disabled, so no change reaches anybody: enable it again; what the old stream "
            "still holds is "
            "read for 24 hours"};
  }
  return {Verdict::kGood, "stream", "enabled"};
}

PreflightLine judge_view(StreamView view) {
  switch (view) {
    case StreamView::kNewAndOldImages:
      return {Verdict::kGood, "view type",
              "NEW_AND_OLD_IMAGES: each change proves the one before it"};
    case StreamView::kNewImage:
      return {Verdict::kNote, "view type",
              "NEW_IMAGE: versions are whole, but removals carry no image, and a missing change "
              "between two others is "
              "noticed by the version attribute only"};
    case StreamView::kOldImage:
    case StreamView::kKeysOnly:
      break;
  }
  return {Verdict::kRefused, "view type",
          "its records don't carry the new image, so there is no version to archive: the stream "
          "must be "
          "NEW_AND_OLD_IMAGES"};
}

PreflightLine judge_names(const PreflightAsk& ask) {
  const bool by_source = ask.name_template.find("{source}") != std::string::npos;
  if (by_source) {
    return {Verdict::kGood, "names", "every change has a name of its own: {source} never repeats"};
  }
  return {Verdict::kNote, "names",
          "a deleted and re-created item whose counter starts again meets names that are taken: "
          "nothing is overwritten, the "
          "new object is named '<name>~<shard>-<sequence>' and the ledger says so. With {source} "
          "in the template "
          "every name is its own"};
}

PreflightLine judge_versions(const PreflightAsk& ask) {
  if (!ask.version_attribute) {
    return {Verdict::kNote, "versions",
            "no version attribute was named (--version-attribute): missing changes are found by "
            "the images alone"};
  }
  return {Verdict::kGood, "versions",
          fmt::format("'{}' counts them: a missing one is found by its number",
                      *ask.version_attribute)};
}

}  // namespace

bool Preflight::refused() const {
  return std::any_of(lines.begin(), lines.end(),
                     [](const auto& line) { return line.verdict == Verdict::kRefused; });
}

Awaitable<Result<Preflight>> preflight(SourceTable& table, TableStream& stream, PreflightAsk ask) {
  Preflight found;
  auto facts = co_await table.describe();
  if (!facts.ok()) co_return facts.error();
  found.facts = std::move(facts).value();
  found.lines.push_back(
      {Verdict::kGood, "table",
       fmt::format("{}, about {} items", found.facts.arn, found.facts.item_count)});
  found.lines.push_back(judge_stream(found.facts));
  if (!found.facts.stream) co_return found;
  found.lines.push_back(judge_view(found.facts.stream->view));
  std::string after;
  for (std::size_t page = 0; page < kPagesCounted; ++page) {
    auto shards = co_await stream.shards(found.facts.stream->arn, after);
    if (!shards.ok()) {
      found.lines.push_back({Verdict::kRefused, "shards",
                             fmt::format("they can't be listed: {} {}", shards.error().message,
                                         shards.error().hint)});
      co_return found;
    }
    for (const auto& shard : shards->shards) found.open_shards += shard.open() ? 1 : 0;
    found.shards += shards->shards.size();
    after = shards->last_shard;
    if (after.empty()) break;
  }
  found.lines.push_back({Verdict::kGood, "shards",
                         fmt::format("{} open, {} listed", found.open_shards, found.shards)});
  found.lines.push_back({Verdict::kNote, "readers",
                         "a shard serves two readers at most (one in a global table), and nobody "
                         "can ask who they are: all workers of this guard "
                         "are one together. If a Lambda trigger and something else read already, "
                         "this guard is a third, and all are "
                         "throttled"});
  found.lines.push_back(judge_versions(ask));
  found.lines.push_back(judge_names(ask));
  co_return found;
}

std::string iam_policy(const PolicyNames& names) {
  const std::string objects = fmt::format("arn:aws:s3:::{}/{}*", names.bucket,
                                          names.prefix.empty() ? "" : names.prefix + "/");
  std::string out;
  JsonWriter json(out);
  const auto statement = [&json](const std::vector<std::string>& actions,
                                 const std::vector<std::string>& resources) {
    json.begin_object().field("Effect", "Allow").key("Action").begin_array();
    for (const auto& action : actions) json.string(action);
    json.end_array().key("Resource").begin_array();
    for (const auto& resource : resources) json.string(resource);
    json.end_array().end_object();
  };
  json.begin_object().field("Version", "2012-10-17").key("Statement").begin_array();
  statement({"dynamodb:DescribeTable"}, {names.table_arn});
  statement({"dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"},
            {names.table_arn + "/stream/*"});
  statement({"dynamodb:DescribeTable", "dynamodb:CreateTable", "dynamodb:Scan", "dynamodb:GetItem",
             "dynamodb:PutItem", "dynamodb:DeleteItem"},
            {names.lease_table_arn});
  statement({"s3:ListBucket"}, {"arn:aws:s3:::" + names.bucket});
  statement({"s3:GetObject", "s3:PutObject"}, {objects});
  json.end_array().end_object();
  return out;
}

MonthlyCost estimate_cost(std::uint64_t open_shards) {
  constexpr double kSecondsAMonth = 30.0 * 24 * 3600;
  constexpr double kStreamRead = 0.20 / 1e6;
  constexpr double kWriteUnit = 0.625 / 1e6;
  constexpr double kReadUnit = 0.125 / 1e6;
  constexpr double kPut = 5.00 / 1e6;
  const double polls = kSecondsAMonth / (static_cast<double>(kPollEvery.count()) / 1e6) *
                       static_cast<double>(open_shards);
  const double beats =
      kSecondsAMonth / (static_cast<double>(MembershipTiming{}.beat_every.count()) / 1e6);
  // A listing of the rows reads a unit for each 4 KiB: about 25 shards.
  const double listings = beats * (1 + static_cast<double>(open_shards) / 25);
  MonthlyCost cost;
  cost.fixed = polls * kStreamRead + beats * kWriteUnit + listings * kReadUnit;
  cost.per_million_changes = 1e6 * kPut;  // an object each; pages are few beside them
  return cost;
}

}  // namespace pawl::guard
