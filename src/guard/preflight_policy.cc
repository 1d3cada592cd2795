// The part of preflight.h that asks nobody: the IAM policy and the cost.
#include <fmt/format.h>

#include "archive/object_naming.h"
#include "base/json_writer.h"
#include "guard/membership.h"
#include "guard/preflight.h"
#include "guard/stream_cursor.h"

namespace pawl::guard {
std::string indented(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  const auto new_line = [&] { out.append(1, '\n').append(2 * depth, ' '); };
  bool within = false;  // a string
  bool escaped = false;
  for (const char c : json) {
    if (c == '"' && !escaped) within = !within;
    escaped = within && c == '\\' && !escaped;
    if (!within && (c == '}' || c == ']')) --depth, new_line();
    out += c;
    if (within) continue;
    if (c == '{' || c == '[') ++depth, new_line();
    if (c == ',') new_line();
    if (c == ':') out += ' ';
  }
  return out;
}

std::string iam_policy(const PolicyNames& names) {
  const std::string objects = fmt::format("arn:aws:s3:::{}/{}*", names.bucket,
                                          names.prefix.empty() ? "" : names.prefix + "/");
  std::string out;
  JsonWriter json(out);
  const auto statement = [&json](const std::vector<std::string>& actions,
                                 const std::string& resource) {
    json.begin_object().field("Effect", "Allow").key("Action").begin_array();
    for (const auto& action : actions) json.string(action);
    json.end_array().field("Resource", resource).end_object();
  };
  json.begin_object().field("Version", "2012-10-17").key("Statement").begin_array();
  statement({"dynamodb:DescribeTable"}, names.table_arn);
  statement({"dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"},
            names.table_arn + "/stream/*");
  statement({"dynamodb:DescribeTable", "dynamodb:CreateTable", "dynamodb:Scan", "dynamodb:GetItem",
             "dynamodb:PutItem", "dynamodb:DeleteItem"},
            names.lease_table_arn);
  statement({"s3:ListBucket"}, "arn:aws:s3:::" + names.bucket);
  if (names.puts == PolicyNames::Puts::kEverything) {
    statement({"s3:GetObject", "s3:PutObject"}, objects);
  } else {
    const auto below = objects.substr(0, objects.size() - 1);
    statement({"s3:GetObject"}, objects);
    statement({"s3:PutObject"}, below + ".pawl/*");
    if (names.puts == PolicyNames::Puts::kLedgerAndMissing)
      statement({"s3:PutObject"}, below + archive::repaired_name("*") + "*");
  }
  json.end_array().end_object();
  return out;
}

MonthlyCost estimate_cost(std::uint64_t open_shards, bool check) {
  constexpr double kSecondsAMonth = 30.0 * 24 * 3600;
  constexpr double kStreamRead = 0.20 / 1e6;
  constexpr double kWriteUnit = 0.625 / 1e6;
  constexpr double kReadUnit = 0.125 / 1e6;
  constexpr double kPut = 5.00 / 1e6;
  constexpr double kGet = 0.40 / 1e6;
  // A look that comes too early and one that finds the object; or all that fit before a deadline of a minute.
  constexpr double kLooksLeast = 2;
  constexpr double kLooksMost = 16;
  constexpr double kRowsAReadUnit = 12;  // 4 KiB
  const auto times_a_month = [](Duration every) {
    return kSecondsAMonth / std::chrono::duration<double>(every).count();
  };
  const MembershipTiming timing;
  MonthlyCost cost;
  cost.polling = times_a_month(kPollEvery) * static_cast<double>(open_shards) * kStreamRead;
  cost.leases = times_a_month(timing.beat_every) * kWriteUnit +
                times_a_month(timing.list_every) *
                    (1 + static_cast<double>(open_shards) / kRowsAReadUnit) * kReadUnit;
  cost.per_million_changes_least = 1e6 * (check ? kLooksLeast * kGet : kPut);
  cost.per_million_changes_most = 1e6 * ((check ? kLooksMost * kGet : kPut) + kPut);
  return cost;
}

}  // namespace pawl::guard
