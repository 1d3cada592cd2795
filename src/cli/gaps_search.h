// The search that `pawl gaps` and `pawl repair` share: names of a bucket, and what a table and its stream add.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "adapter/s3_location.h"
#include "audit/gap_list.h"
#include "audit/gap_recovery.h"
#include "audit/name_pattern.h"
#include "cli/gaps_output.h"
#include "cli/gaps_table.h"
#include "port/name_listing.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's
class App;
}

namespace pawl::cli {

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
  std::string table;
  std::string dynamodb_endpoint;
  bool no_stream = false;
};

// All but --json, which each command explains. `arguments` must outlive the parsing.
void add_search_options(CLI::App& command, GapsArguments& arguments, bool table_required);

// From the arguments to the gaps. Reads only. Its calls in this order; each blocks.
class GapsSearch {
 public:
  // `arguments` must outlive it.
  explicit GapsSearch(const GapsArguments& arguments) : arguments_(arguments) {}

  // Understands the template and describes the table. The bucket is not asked yet.
  Status open();
  // Reads the table, then the names: what is archived after the table was read is no gap. Errors: also where no name is as
  // the template says.
  Status find();
  // Then either of these: all gaps one by one, without the stream, in bounded memory;
  Status each_gap(
      const std::function<Status(const audit::Gap&, const std::vector<audit::Recovery>&)>& visit);
  // or all of them into `recovery`, which then has seen the stream, too, if it may be read and there is any gap.
  Status collect(audit::GapRecovery& recovery);

  // After open(): whether there is a stream to read, and it is not to be left out. Says why not in the report.
  bool wants_stream();
  const audit::NamePattern& pattern() const { return *pattern_; }
  GapsTable* table() { return table_.get(); }  // null: none was given
  const S3Location& location() const { return location_; }
  const GapsReport& report() const { return report_; }
  // Bytes that one of the two things that need memory at a time may take.
  std::size_t memory() const { return (arguments_.memory_mib << 20) / 2; }

 private:
  const GapsArguments& arguments_;
  S3Location location_;
  std::unique_ptr<GapsTable> table_;
  std::unique_ptr<audit::NamePattern> pattern_;
  std::unique_ptr<NameListing> listing_;
  std::unique_ptr<audit::GapList> list_;
  GapsReport report_;
};

}  // namespace pawl::cli
