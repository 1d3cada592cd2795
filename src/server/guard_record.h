// One worker of `pawl guard record` or `pawl guard check`, put together over the real adapters: DynamoDB's API on one side, a bucket on the other.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "guard/expectation.h"
#include "guard/preflight.h"
#include "guard/worker.h"
#include "server/archive_place.h"
#include "server/check_log.h"

namespace pawl::server {

struct GuardConfig {  // what is "" stands for its default, which open() fills in
  std::string table;
  ArchivePlace archive;           // a bucket
  std::string dynamodb_endpoint;  // "" = as AWS's own settings say
  std::string names;              // template; "" = kGuardTemplate
  std::optional<std::string> version_attribute;
  std::string lease_table;  // "" = "pawl-guard-<table>", or "pawl-check-<table>"
  // Somebody else writes the objects into the bucket, and Pawl checks them. Then `names` must be given, and without a version
  // attribute it is the one that the last pair of braces names.
  std::optional<guard::CheckRules> check;
};

// Names of their own whatever happens to items: the stream's own number never repeats.
inline constexpr std::string_view kGuardTemplate = "{table}/{key}-{source}.json";

// prepare(), then run(). stop() and status() from any thread while it runs.
class GuardRecord {
 public:
  static Result<std::unique_ptr<GuardRecord>> open(GuardConfig config);
  ~GuardRecord();

  // Looks at table, stream, leases and archive; puts nothing but the archive's probe. Takes some seconds. Errors: as of the
  // adapters, each saying what to do.
  Result<guard::Preflight> look();
  // Makes the archive and the lease table where they are not there, and tries the latter. After look() did not refuse.
  Status prepare();
  // Works until stop(). After prepare().
  void run();
  void stop();
  guard::WorkerStatus status() const;
  CheckLog& check_log();

  const GuardConfig& config() const;
  const std::string& archive_id() const;    // after prepare()
  guard::PolicyNames policy_names() const;  // with '*' for what is not known before look()

 private:
  struct Parts;
  explicit GuardRecord(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace pawl::server
