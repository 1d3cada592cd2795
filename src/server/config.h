// The server's settings: defaults, then pawl.toml, then the command line.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "server/archive_place.h"
#include "server/expectation_config.h"
#include "table/table_definition.h"
#include "trigger/shard_step.h"

namespace pawl::server {

// The longest page interval: for so long nothing proves the newest versions.
inline constexpr Duration kPageIntervalMax = std::chrono::minutes(1);

// The service's streams keep 24 hours; longer costs disk alone.
inline constexpr Duration kStreamRetentionMin = std::chrono::seconds(1);
inline constexpr Duration kStreamRetentionMax = std::chrono::hours(168);

// Under the profile aws, how much faster ages and retention may pass: a day in a second.
inline constexpr std::uint32_t kTimeScaleMax = 86'400;

struct TableConfig {
  // What a table gets when it is created. Changing the file later changes nothing about tables that exist.
  bool record = true;
  std::string names;  // of objects; "" = the default template
  std::uint16_t partitions = table::kPartitionsDefault;
  // What holds from a start on: pipeline::RecorderOptions::page_interval, up to kPageIntervalMax. Nothing = as the archive's kind.
  std::optional<Duration> page_interval;
  bool insert_only = false;  // from a start on: items are put once, never changed or removed
  std::optional<ExpectationConfig> expect;  // from a start on, too
};

using PageIntervals = std::map<std::string, Duration, std::less<>>;
using Expectations = std::map<std::string, ExpectationConfig, std::less<>>;  // by table

struct AccessKeyConfig {
  std::string id;
  std::string secret;
};

// Below these, writes are refused and an alarm is given; what is left is for the archiver, the ledger and compaction.
struct ReserveConfig {
  std::uint64_t bytes = 256ULL << 20;
  std::uint64_t inodes = 10'000;
};

struct FunctionsConfig {
  std::uint32_t processes = 4;       // most at once of one function that does not say it itself
  std::uint32_t processes_max = 64;  // of all functions
};

struct ServerConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000;
  std::string data = "./pawl-data";
  std::string archive;      // a folder, or s3://BUCKET/PREFIX; "" = DATA/archive
  std::string s3_endpoint;  // of the bucket; "" = as AWS's own settings say
  // The name under which an archive in a folder reads as a bucket; "" = under none.
  std::string archive_bucket = "archive";
  ReserveConfig reserve;
  Duration stream_retention = table::kStreamRetentionDefault;  // 1 s to kStreamRetentionMax
  trigger::Profile profile = trigger::Profile::kPawl;
  std::uint32_t time_scale = 1;  // 1 to kTimeScaleMax; but 1 under aws alone
  FunctionsConfig functions;
  std::vector<AccessKeyConfig> access_keys;
  std::map<std::string, TableConfig, std::less<>> tables;

  std::string archive_path() const { return archive.empty() ? data + "/archive" : archive; }
  ArchivePlace archive_place() const { return {archive_path(), s3_endpoint}; }
  TableConfig table(const std::string& name) const;
  PageIntervals page_intervals() const;  // of the tables that have one of their own
  // How long records of streams stay readable: under aws so many times shorter.
  Duration scaled_retention() const { return stream_retention / time_scale; }
  std::set<std::string> insert_only() const;
  Expectations expectations() const;
};

// Reads pawl.toml. Errors: kNotFound, or kInvalid naming the line, the unknown key or the wrong value.
Result<ServerConfig> load_config(const std::string& path);

// "pawl" or "aws", and back.
Status set_profile(ServerConfig& config, std::string_view profile);
std::string_view name_of(trigger::Profile profile);

// "HOST:PORT" or "[::1]:PORT" into `config`. Errors: kInvalid.
Status set_listen(ServerConfig& config, const std::string& listen);
// "dir:PATH", a path, or "s3://BUCKET/PREFIX" into `config`.
Status set_archive(ServerConfig& config, const std::string& archive);

// What must hold over all settings: another address than loopback needs access keys. Errors: kInvalid.
Status check_config(const ServerConfig& config);

}  // namespace pawl::server
