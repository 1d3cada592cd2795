#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "audit/table_images.h"
#include "cli/commands.h"
#include "cli/gaps_search.h"
#include "cli/repair_bucket.h"
#include "cli/repair_output.h"
#include "cli/repair_run.h"
#include "cli/stop_signals.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

struct RepairArguments {
  GapsArguments search;
  bool plan = false;
};

// What only the table has, into `recovery`.
Status fetch_from_table(GapsTable& table, const audit::NamePattern& pattern,
                        audit::GapRecovery& recovery) {
  ProgressLine progress;
  audit::TableImages images(
      table.table(), table.facts(), pattern, recovery,
      [&progress](std::uint64_t items) { progress.show("items of the table", items, 0); });
  PAWL_TRY(images.plan());
  if (images.nothing_needed()) return ok();
  std::vector<Awaitable<Status>> work;
  if (images.needs_scan()) {
    for (std::uint32_t segment = 0; segment < kScanSegments; ++segment)
      work.push_back(images.segment(segment, kScanSegments));
  } else {
    work.push_back(images.get());
  }
  return table.run(std::move(work));
}

// Whether nothing is missing any more.
Result<bool> repair(const RepairArguments& arguments) {
  GapsSearch search(arguments.search);
  PAWL_TRY(search.open());
  std::unique_ptr<RepairBucket> bucket;
  if (!arguments.plan) {
    PAWL_ASSIGN_OR_RETURN(bucket,
                          RepairBucket::open(search.location(), arguments.search.s3_endpoint,
                                             arguments.search.requests));
    PAWL_TRY(bucket->probe());
  }
  PAWL_TRY(search.find());

  const std::size_t memory = search.memory();
  std::unique_ptr<audit::ImageSpool> images;
  if (!arguments.plan) images = std::make_unique<audit::ImageSpool>(memory, arguments.search.tmp);
  audit::GapRecovery recovery(search.pattern(), memory, images.get());
  PAWL_TRY(search.collect(recovery));
  if (!arguments.plan) {
    PAWL_TRY(fetch_from_table(*search.table(), search.pattern(), recovery));
    PAWL_TRY(images->begin_taking());
  }
  const auto output = arguments.search.json ? make_repair_json(search.pattern(), arguments.plan)
                                            : make_repair_text(search.pattern());
  const StopQuestion stop;
  RepairRun run(search, bucket.get(), images.get(), *output);
  PAWL_TRY(
      recovery.drain([&run](const audit::Gap& gap, const std::vector<audit::Recovery>& recoveries,
                            std::size_t hole) { return run.gap(gap, recoveries, hole); }));
  run.finish();
  output->end(search.report(), run.report());
  return run.report().complete();
}

int run_repair(const RepairArguments& arguments) {
  const auto complete = repair(arguments);
  if (!complete.ok()) return could_not(complete.error());
  return *complete ? kExitGood : kExitFound;
}

constexpr const char* kFooter =
    R"(A version that is missing is put back from the change's record in the stream (24 hours), from the old image of the
next change, or from the table, as NAME~repaired: what your function wrote is never touched, and nothing is put where
something is. A run that broke off is gone on with by running it again; a second run changes nothing. Ctrl-C ends it after
what is under way, a second one at once. With --plan nothing is written. The credentials need what `pawl gaps --table` needs
(`pawl gaps --help`), dynamodb:BatchGetItem on the table, and, not with --plan,

    {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"],
     "Resource": ["arn:aws:s3:::BUCKET/*~repaired", "arn:aws:s3:::BUCKET/.pawl/probe"]}

(BUCKET/PREFIX/.pawl/probe below a prefix; without s3:GetObject, two runs at once can't tell that they put the same.) A store
that ignores If-None-Match is refused.
Exit status: 0 nothing is missing any more, 1 versions are lost, or could not be put, or are only planned, 2 it could not
run.)";

}  // namespace

void add_repair(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "repair", "Put back what `pawl gaps` finds missing, as far as it still exists");
  const auto arguments = std::make_shared<RepairArguments>();
  command->add_flag("--plan", arguments->plan,
                    "Only say what would be put, from where, until when that is possible, and what "
                    "is lost");
  add_search_options(*command, arguments->search, true);
  command->add_flag("--json", arguments->search.json,
                    "One JSON document, with every version (docs/schemas/repair.schema.json)");
  command->footer(kFooter);
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_repair(*arguments); }; });
}

}  // namespace pawl::cli
