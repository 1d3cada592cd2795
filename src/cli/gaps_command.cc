#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "adapter/bucket_listing.h"
#include "audit/gap_finder.h"
#include "audit/gap_list.h"
#include "cli/commands.h"
#include "cli/gaps_output.h"
#include "cli/terminal.h"

namespace pawl::cli {
namespace {

struct GapsArguments {
  std::string bucket;
  std::string s3_endpoint;
  std::string name;
  std::string version_attribute;
  std::uint64_t first_version = 0;
  std::size_t requests = 16;
  std::size_t memory_mib = 128;
  std::string tmp = "/tmp";
  bool json = false;
};

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

int run_gaps(const GapsArguments& arguments) {
  const auto pattern = audit::NamePattern::parse(arguments.name, arguments.version_attribute);
  if (!pattern.ok()) return could_not(pattern.error());
  const auto location = parse_listed_s3_url(arguments.bucket);
  if (!location.ok()) return could_not(location.error());
  adapter::BucketListingOptions options;
  options.requests_max = arguments.requests;
  const auto listing = adapter::open_bucket_listing(*location, arguments.s3_endpoint,
                                                    AwsSurroundings::of_process(), options);
  if (!listing.ok()) return could_not(listing.error());

  GapsReport report;
  report.bucket = (*listing)->describe();
  report.first_version = arguments.first_version;
  const std::size_t memory = (arguments.memory_mib << 20) / 2;
  audit::GapList list(false, arguments.first_version, memory, arguments.tmp);
  audit::GapFinder finder(
      *pattern,
      {.first_version = arguments.first_version, .memory_max = memory, .tmp = arguments.tmp}, list);
  ProgressLine progress;
  ToldParts parts(finder, progress);
  auto done = (*listing)->list(listed_prefix(*pattern), parts);
  if (done.ok()) done = finder.finish();
  progress.erase();
  if (!done.ok()) return could_not(done.error());
  report.names = finder.counts();
  if (report.names.versions == 0) return could_not(nothing_matches(**listing, *pattern));

  const auto output = arguments.json ? make_gaps_json(*pattern) : make_gaps_text(*pattern);
  const auto totals = list.drain([&](const audit::Gap& gap) { return output->hole(gap); });
  if (!totals.ok()) return could_not(totals.error());
  report.totals = *totals;
  output->end(report);
  return totals->holes == 0 ? kExitGood : kExitFound;
}

constexpr const char* kFooter =
    R"(Nothing is changed and no object is read. The credentials need no more than

  {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::BUCKET"}]}

The template is what your function does: Python's "logs/%s-%s.log" % (hashid, version) is 'logs/{hashid}-{_version}.log'.
Keys may hold anything; the version is a number in decimal digits, with leading zeros only if all of an item's have them.
Exit status: 0 nothing is missing, 1 gaps, 2 it could not run.)";

}  // namespace

void add_gaps(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "gaps", "Which versions are missing in a bucket that Pawl never wrote, from its names alone");
  const auto arguments = std::make_shared<GapsArguments>();
  command->add_option("bucket", arguments->bucket, "s3://BUCKET or s3://BUCKET/PREFIX")->required();
  command
      ->add_option("--name", arguments->name,
                   "How its objects are named after the prefix: 'logs/{hashid}-{_version}.log'")
      ->required();
  command->add_option("--version-attribute", arguments->version_attribute,
                      "Which of the template's attributes is the version [the last]");
  command
      ->add_option("--first-version", arguments->first_version, "Where every item's versions begin")
      ->capture_default_str();
  command->add_option("--s3-endpoint", arguments->s3_endpoint,
                      "URL of the bucket's store [AWS_ENDPOINT_URL_S3, else Amazon's]");
  command->add_option("--requests", arguments->requests, "Requests at once, at most")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--memory", arguments->memory_mib, "MiB for sorting; the rest goes to --tmp")
      ->check(CLI::Range(4, 1 << 20))
      ->capture_default_str();
  command->add_option("--tmp", arguments->tmp, "Folder for what does not fit in memory")
      ->capture_default_str();
  command->add_flag("--json", arguments->json,
                    "One JSON document, with all gaps (docs/schemas/gaps.schema.json)");
  command->footer(kFooter);
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return run_gaps(*arguments); }; });
}

}  // namespace pawl::cli
