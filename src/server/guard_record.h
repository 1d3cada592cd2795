// One worker of `pawl guard record`, put together over the real adapters: DynamoDB's API on one side, a bucket on the other.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "guard/preflight.h"
#include "guard/worker.h"
#include "server/archive_place.h"

namespace pawl::server {

struct GuardConfig {
  std::string table;
  ArchivePlace archive;           // a bucket
  std::string dynamodb_endpoint;  // "" = as AWS's own settings say
  std::string names;              // template; "" = kGuardTemplate
  std::optional<std::string> version_attribute;
  std::string lease_table;  // "" = "pawl-guard-<table>"
};

// Names of their own whatever happens to items: the stream's own number never repeats.
inline constexpr std::string_view kGuardTemplate = "{table}/{key}-{source}.json";

// prepare(), then run(). stop() and status() from any thread while it runs.
class GuardRecord {
 public:
  static Result<std::unique_ptr<GuardRecord>> open(GuardConfig config);
  ~GuardRecord();

  // Looks at table and stream. Nothing is written. Errors: as of the adapters, each saying what to do.
  Result<guard::Preflight> look();
  // Probes the bucket's conditions, makes the archive and the lease table where they are not there. After look().
  Status prepare();
  // Works until stop(). After prepare().
  void run();
  void stop();
  guard::WorkerStatus status() const;

  const GuardConfig& config() const;
  const std::string& archive_id() const;    // after prepare()
  guard::PolicyNames policy_names() const;  // after look()

 private:
  struct Parts;
  explicit GuardRecord(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace pawl::server
