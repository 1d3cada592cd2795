#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/gaps_output.h"
#include "cli/gaps_search.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

// Whether there are any gaps.
Result<bool> print_gaps(const GapsArguments& arguments) {
  GapsSearch search(arguments);
  PAWL_TRY(search.open());
  PAWL_TRY(search.find());
  const bool with_table = search.table() != nullptr;
  const auto output = arguments.json ? make_gaps_json(search.pattern())
                                     : make_gaps_text(search.pattern(), with_table);
  const auto tell = [&output](const audit::Gap& gap,
                              const std::vector<audit::Recovery>& recoveries) {
    return output->hole(gap, recoveries);
  };
  if (with_table && search.wants_stream()) {
    audit::GapRecovery recovery(search.pattern(), search.memory());
    PAWL_TRY(search.collect(recovery));
    PAWL_TRY(recovery.drain([&tell](const audit::Gap& gap,
                                    const std::vector<audit::Recovery>& recoveries,
                                    std::size_t) { return tell(gap, recoveries); }));
  } else {
    PAWL_TRY(search.each_gap(tell));
  }
  output->end(search.report());
  return search.report().totals.holes > 0;
}

int run_gaps(const GapsArguments& arguments) {
  const auto found = print_gaps(arguments);
  if (!found.ok()) return could_not(found.error());
  return *found ? kExitFound : kExitGood;
}

constexpr const char* kFooter =
    R"(Nothing is changed and no object is read. The credentials need no more than

  {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::BUCKET"}]}

and with --table, the second of these not with --no-stream:

    {"Effect": "Allow", "Action": ["dynamodb:DescribeTable", "dynamodb:Scan"],
     "Resource": "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE"},
    {"Effect": "Allow", "Action": ["dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"],
     "Resource": "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/stream/*"}

The template is what your function does: Python's "logs/%s-%s.log" % (hashid, version) is 'logs/{hashid}-{_version}.log'.
Keys may hold anything; the version is a number in decimal digits, with leading zeros only if all of an item's have them.
Exit status: 0 nothing is missing, 1 gaps, 2 it could not run.)";

}  // namespace

void add_gaps(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "gaps", "Which versions are missing in a bucket that Pawl never wrote, from its names alone");
  const auto arguments = std::make_shared<GapsArguments>();
  add_search_options(*command, *arguments, false);
  command->add_flag("--json", arguments->json,
                    "One JSON document, with all gaps (docs/schemas/gaps.schema.json)");
  command->footer(kFooter);
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_gaps(*arguments); }; });
}

}  // namespace pawl::cli
