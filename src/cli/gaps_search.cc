#include "cli/gaps_search.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "adapter/bucket_listing.h"
#include "audit/gap_finder.h"
#include "audit/table_search.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

constexpr std::uint32_t kStreamWorkers = 8;

// Tells the finder what is listed, and the person how far it is.
class ToldParts final : public NameParts {
 public:
  ToldParts(audit::GapFinder& finder, ProgressLine& progress)
      : finder_(finder), progress_(progress) {}

  Status begin(std::size_t part, std::string_view after) override {
    if (parts_.size() <= part) parts_.resize(part + 1);
    parts_[part] = finder_.begin(std::string(after));
    return ok();
  }
  Status name(std::size_t part, std::string_view name) override {
    constexpr std::uint64_t kShowEvery = 1 << 12;
    if (finder_.counts().names % kShowEvery == 0)
      progress_.show("names listed", finder_.counts().names, 0);
    return finder_.add(*parts_[part], name);
  }
  Status end(std::size_t part, std::string_view until) override {
    return finder_.end(std::exchange(parts_[part], nullptr), until);
  }

 private:
  audit::GapFinder& finder_;
  ProgressLine& progress_;
  std::vector<audit::GapFinder::Part*> parts_;
};

// What every name begins with, up to its last '/': what stands beside the names of the template is counted, the rest of
// the bucket isn't listed.
std::string listed_prefix(const audit::NamePattern& pattern) {
  const auto head = pattern.literal_head();
  const auto slash = head.rfind('/');
  return std::string(slash == std::string_view::npos ? "" : head.substr(0, slash + 1));
}

// The template gives no name that is there: why that may be.
Error nothing_matches(NameListing& listing, const audit::NamePattern& pattern) {
  const auto examples = listing.first_names(audit::kExamplesMax);
  if (!examples.ok()) return examples.error();
  if (examples->empty()) {
    return {ErrorCode::kNotFound, fmt::format("{} holds no objects", listing.describe()),
            "check bucket, prefix and endpoint (--s3-endpoint)"};
  }
  std::string list;
  for (const auto& name : *examples)
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", name);
  const auto suggestion = audit::suggest_template(*examples);
  return {ErrorCode::kInvalid,
          fmt::format("no name in {} is as '{}' says; the first are {}", listing.describe(),
                      pattern.text(), list),
          suggestion.empty()
              ? std::string("names are taken from behind s3://BUCKET/PREFIX/ on")
              : fmt::format("try --name '{}', with your own words in the braces", suggestion)};
}

}  // namespace

Status GapsSearch::open() {
  std::vector<std::string> key;
  if (!arguments_.table.empty()) {
    PAWL_ASSIGN_OR_RETURN(table_, GapsTable::open(arguments_.table, arguments_.dynamodb_endpoint));
    key.push_back(table_->facts().partition.name);
    if (table_->facts().sort) key.push_back(table_->facts().sort->name);
    report_.table.emplace();
    report_.table->name = table_->facts().name;
  }
  PAWL_ASSIGN_OR_RETURN(
      auto pattern, audit::NamePattern::parse(arguments_.name, arguments_.version_attribute, key));
  pattern_ = std::make_unique<audit::NamePattern>(std::move(pattern));
  PAWL_ASSIGN_OR_RETURN(location_, parse_listed_s3_url(arguments_.bucket));
  adapter::BucketListingOptions options;
  options.requests_max = arguments_.requests;
  PAWL_ASSIGN_OR_RETURN(listing_,
                        adapter::open_bucket_listing(location_, arguments_.s3_endpoint,
                                                     AwsSurroundings::of_process(), options));
  report_.bucket = listing_->describe();
  report_.first_version = arguments_.first_version;
  list_ = std::make_unique<audit::GapList>(table_ != nullptr, arguments_.first_version, memory(),
                                           arguments_.tmp);
  return ok();
}

Status GapsSearch::find() {
  ProgressLine progress;
  if (table_) {
    audit::TableScan scan(table_->table(), *pattern_, *list_, [&progress](std::uint64_t items) {
      progress.show("items of the table", items, 0);
    });
    PAWL_TRY(table_->scan(scan, kScanSegments));
    report_.table->unnamed = scan.unnamed();
  }
  audit::GapFinder finder(
      *pattern_,
      {.first_version = arguments_.first_version, .memory_max = memory(), .tmp = arguments_.tmp},
      *list_);
  ToldParts parts(finder, progress);
  PAWL_TRY(listing_->list(listed_prefix(*pattern_), parts));
  PAWL_TRY(finder.finish());
  report_.names = finder.counts();
  if (report_.names.versions == 0) return nothing_matches(*listing_, *pattern_);
  return ok();
}

Status GapsSearch::each_gap(
    const std::function<Status(const audit::Gap&, const std::vector<audit::Recovery>&)>& visit) {
  PAWL_ASSIGN_OR_RETURN(report_.totals, list_->drain([&](const audit::Gap& gap) {
    std::vector<audit::Recovery> recoveries;
    if (gap.table_version && *gap.table_version >= gap.versions.from &&
        *gap.table_version <= gap.versions.to)
      recoveries.push_back({*gap.table_version, audit::Recovery::Source::kTable, {}, {}, {}});
    return visit(gap, recoveries);
  }));
  return ok();
}

bool GapsSearch::wants_stream() {
  auto& report = *report_.table;
  const auto& stream = table_->facts().stream;
  if (stream) report.stream = stream->arn;
  if (arguments_.no_stream) {
    report.stream_not_read = "--no-stream";
  } else if (!stream) {
    report.stream_not_read = "the table has none";
  } else if (stream->view == StreamView::kKeysOnly) {
    report.stream_not_read = "it has keys only, no images";
  }
  return report.stream_not_read.empty();
}

Status GapsSearch::collect(audit::GapRecovery& recovery) {
  PAWL_ASSIGN_OR_RETURN(report_.totals, list_->drain([&recovery](const audit::Gap& gap) {
    return recovery.add(gap);
  }));
  list_.reset();  // its memory is wanted elsewhere
  if (!wants_stream()) return ok();
  if (recovery.empty()) {
    report_.table->stream_not_read = "nothing is missing";
    return ok();
  }
  fmt::print(stderr,
             "pawl: reading the stream of {}: this counts as one of at most two readers of each "
             "of its shards (--no-stream leaves it out)\n",
             printable(report_.table->name));
  ProgressLine progress;
  audit::StreamSearch search(
      table_->stream(), table_->clock(), recovery,
      [&progress](std::uint64_t records) { progress.show("records of the stream", records, 0); });
  PAWL_TRY(table_->search(search, kStreamWorkers));
  report_.table->summary = search.summary();
  report_.table->unreadable = recovery.unreadable();
  return ok();
}

void add_search_options(CLI::App& command, GapsArguments& arguments, bool table_required) {
  command.add_option("bucket", arguments.bucket, "s3://BUCKET or s3://BUCKET/PREFIX")->required();
  command
      .add_option("--name", arguments.name,
                  "How its objects are named after the prefix: 'logs/{hashid}-{_version}.log'")
      ->required();
  command.add_option(
      "--version-attribute", arguments.version_attribute,
      "Which of the template's attributes is the version [the one that is not of the "
      "table's key; without --table the last]");
  command
      .add_option("--first-version", arguments.first_version, "Where every item's versions begin")
      ->capture_default_str();
  command.add_option("--s3-endpoint", arguments.s3_endpoint,
                     "URL of the bucket's store [AWS_ENDPOINT_URL_S3, else Amazon's]");
  command.add_option("--requests", arguments.requests, "Requests at once, at most")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_option("--memory", arguments.memory_mib, "MiB for sorting; the rest goes to --tmp")
      ->check(CLI::Range(4, 1 << 20))
      ->capture_default_str();
  command.add_option("--tmp", arguments.tmp, "Folder for what does not fit in memory")
      ->capture_default_str();
  auto* const table = command.add_option(
      "--table", arguments.table,
      "The table that it is the archive of: also what is missing after the newest object, and what "
      "can still be recovered");
  if (table_required) table->required();
  command
      .add_option("--dynamodb-endpoint", arguments.dynamodb_endpoint,
                  "URL of the table's engine [AWS_ENDPOINT_URL_DYNAMODB, else Amazon's]")
      ->needs(table);
  command.add_flag("--no-stream", arguments.no_stream, "Do not read the table's stream")
      ->needs(table);
}

}  // namespace pawl::cli
