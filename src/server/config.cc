#include "server/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

#include "archive/object_naming.h"
#include "server/config_section.h"
#include "wire/s3_call.h"

namespace pawl::server {
namespace {

constexpr std::size_t kConfigSizeMax = 1 << 20;
// toml++ bounds the depth of values but not that of dotted keys, and goes down both by recursion.
constexpr std::size_t kKeyDotsPerLineMax = 32;
// Of tables: the service's rule, so that settings that no table can ever get are noticed here.
constexpr std::size_t kTableNameMin = 3;
constexpr std::size_t kTableNameMax = 255;
constexpr std::string_view kTablesForm = "must have one section a table: [tables.NAME]";
constexpr std::string_view kAccessKeyForm = "must be written as [[access_key]]";

bool is_table_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  return name.size() >= kTableNameMin && name.size() <= kTableNameMax &&
         std::all_of(name.begin(), name.end(), allowed);
}

// Whether a line has more dots, outside of strings and comments, than any key of pawl.toml could need.
bool has_deep_key(std::string_view text) {
  std::size_t dots = 0;
  char quote = '\0';
  bool in_comment = false;
  for (const char c : text) {
    if (c == '\n') {
      dots = 0;
      quote = '\0';
      in_comment = false;
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '#') {
      in_comment = true;
    } else if (!in_comment && (c == '"' || c == '\'')) {
      quote = c;
    } else if (!in_comment && c == '.' && ++dots > kKeyDotsPerLineMax) {
      return true;
    }
  }
  return false;
}

Status read_server(const toml::table& table, ServerConfig& config) {
  Section section(table, "server.");
  std::string listen;
  std::string archive;
  PAWL_TRY(section.read_path("listen", listen));
  PAWL_TRY(section.read_path("data", config.data));
  PAWL_TRY(section.read_path("archive", archive));
  PAWL_TRY(section.read("s3_endpoint", config.s3_endpoint));
  PAWL_TRY(section.read("archive_bucket", config.archive_bucket));
  if (!config.archive_bucket.empty() && !wire::is_bucket_name(config.archive_bucket)) {
    return section.wrong("archive_bucket",
                         "must be a bucket's name: 3 to 63 of a-z, 0-9, - and ., and none of "
                         "Pawl's own words; or \"\" for none");
  }
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  PAWL_TRY(section.read_number("reserve_bytes", 0, kMost, config.reserve.bytes));
  PAWL_TRY(section.read_number("reserve_inodes", 0, kMost, config.reserve.inodes));
  PAWL_TRY(section.read_long_duration("stream_retention", kStreamRetentionMin, kStreamRetentionMax,
                                      "\"1s\" to \"168h\"", config.stream_retention));
  std::string profile(name_of(config.profile));
  PAWL_TRY(section.read("profile", profile));
  PAWL_TRY(section.read_number("time_scale", 1, kTimeScaleMax, config.time_scale));
  PAWL_TRY(section.check_unknown());
  if (!listen.empty()) PAWL_TRY(set_listen(config, listen));
  if (!archive.empty()) PAWL_TRY(set_archive(config, archive));
  if (!set_profile(config, profile).ok()) return section.wrong("profile", "is \"pawl\" or \"aws\"");
  return ok();
}

Status read_table(const std::string& name, const toml::table& table, ServerConfig& config) {
  Section section(table, fmt::format("tables.{}.", name));
  if (!is_table_name(name)) {
    return Error{
        ErrorCode::kInvalid,
        fmt::format("line {}: no table can have the name \"{}\"", table.source().begin.line, name),
        "names of tables are 3 to 255 of a-z, A-Z, 0-9, _, . and -; one with a . is quoted"};
  }
  TableConfig settings;
  PAWL_ASSIGN_OR_RETURN(auto choice, read_record_choice(section));
  settings.record = choice.archive;
  settings.expect = std::move(choice.expect);
  PAWL_TRY(section.read("names", settings.names));
  PAWL_TRY(section.read_number("partitions", 1, table::kPartitionsMax, settings.partitions));
  std::string writes = "all";
  PAWL_TRY(section.read("writes", writes));
  if (writes != "all" && writes != "insert-only")
    return section.wrong("writes", "must be \"all\" or \"insert-only\"");
  settings.insert_only = writes == "insert-only";
  PAWL_TRY(section.read_duration("page_interval", kPageIntervalMax, settings.page_interval));
  PAWL_TRY(section.check_unknown());
  if (!settings.names.empty()) {
    const auto parsed = archive::NameTemplate::parse(settings.names);
    if (!parsed.ok()) return section.wrong("names", parsed.error().to_string());
  }
  config.tables.emplace(name, std::move(settings));
  return ok();
}

Status read_functions(const toml::table& table, FunctionsConfig& config) {
  constexpr std::int64_t kMost = 1'000;
  Section section(table, "functions.");
  PAWL_TRY(section.read_number("processes", 1, kMost, config.processes));
  PAWL_TRY(section.read_number("processes_max", 1, kMost, config.processes_max));
  return section.check_unknown();
}

Status read_access_key(const toml::table& table, ServerConfig& config) {
  Section section(table, "access_key.");
  AccessKeyConfig key;
  PAWL_TRY(section.read("id", key.id));
  PAWL_TRY(section.read("secret", key.secret));
  PAWL_TRY(section.check_unknown());
  if (key.id.empty() || key.secret.empty()) {
    return Error{
        ErrorCode::kInvalid,
        fmt::format("line {}: an access_key needs an id and a secret", table.source().begin.line),
        ""};
  }
  const auto has_id = [&key](const AccessKeyConfig& other) { return other.id == key.id; };
  if (std::any_of(config.access_keys.begin(), config.access_keys.end(), has_id))
    return section.wrong("id", "is the id of another access_key, too");
  config.access_keys.push_back(std::move(key));
  return ok();
}

// The shapes of the parts are checked before their contents: a part that is written wrongly must not be taken
// for one that is not there. Least of all the access keys: nobody would have to sign.
Status read_file(const toml::table& file, ServerConfig& config) {
  Section top(file, "");
  for (const auto* const key : {"server", "tables", "functions", "access_key"}) top.knows(key);
  PAWL_TRY(top.check_unknown());
  if (file.contains("server")) {
    const auto* const server = file["server"].as_table();
    if (server == nullptr) return top.wrong("server", "must be a section: [server]");
    PAWL_TRY(read_server(*server, config));
  }
  if (file.contains("tables")) {
    const auto* const tables = file["tables"].as_table();
    if (tables == nullptr) return top.wrong("tables", kTablesForm);
    for (const auto& [name, node] : *tables) {
      const auto* const table = node.as_table();
      if (table == nullptr) return top.wrong("tables", kTablesForm);
      PAWL_TRY(read_table(std::string(name.str()), *table, config));
    }
  }
  if (file.contains("functions")) {
    const auto* const functions = file["functions"].as_table();
    if (functions == nullptr) return top.wrong("functions", "must be a section: [functions]");
    PAWL_TRY(read_functions(*functions, config.functions));
  }
  if (file.contains("access_key")) {
    const auto* const keys = file["access_key"].as_array();
    if (keys == nullptr) return top.wrong("access_key", kAccessKeyForm);
    for (const auto& node : *keys) {
      const auto* const table = node.as_table();
      if (table == nullptr) return top.wrong("access_key", kAccessKeyForm);
      PAWL_TRY(read_access_key(*table, config));
    }
  }
  return ok();
}

}  // namespace

TableConfig ServerConfig::table(const std::string& name) const {
  const auto found = tables.find(name);
  TableConfig settings = found == tables.end() ? TableConfig{} : found->second;
  if (settings.names.empty()) settings.names = archive::kDefaultTemplate;
  return settings;
}

PageIntervals ServerConfig::page_intervals() const {
  PageIntervals intervals;
  for (const auto& [name, settings] : tables) {
    if (settings.page_interval) intervals.emplace(name, *settings.page_interval);
  }
  return intervals;
}

Expectations ServerConfig::expectations() const {
  Expectations expected;
  for (const auto& [name, settings] : tables) {
    if (settings.expect) expected.emplace(name, *settings.expect);
  }
  return expected;
}

std::set<std::string> ServerConfig::insert_only() const {
  std::set<std::string> names;
  for (const auto& [name, settings] : tables) {
    if (settings.insert_only) names.insert(name);
  }
  return names;
}

Result<ServerConfig> load_config(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text;
  if (stream) {
    text.resize(kConfigSizeMax + 1);
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
  }
  if (!stream.eof() || text.size() > kConfigSizeMax) {
    return Error{ErrorCode::kNotFound, fmt::format("can't read the configuration {}", path),
                 "give a readable pawl.toml of at most 1 MiB with --config"};
  }
  if (has_deep_key(text)) {
    return Error{ErrorCode::kInvalid, fmt::format("{}: a key has too many dots", path),
                 "see docs/guide.md for the settings"};
  }
  ServerConfig config;
  try {
    const auto read = read_file(toml::parse(text, path), config);
    if (!read.ok()) {
      return Error{read.error().code, fmt::format("{}: {}", path, read.error().message),
                   read.error().hint};
    }
  } catch (const toml::parse_error& error) {
    return Error{
        ErrorCode::kInvalid,
        fmt::format("{}: line {}: {}", path, error.source().begin.line, error.description()),
        "it must be TOML: see docs/guide.md"};
  }
  return config;
}

std::string_view name_of(trigger::Profile profile) {
  return profile == trigger::Profile::kPawl ? "pawl" : "aws";
}

Status set_profile(ServerConfig& config, std::string_view profile) {
  for (const auto known : {trigger::Profile::kPawl, trigger::Profile::kAws}) {
    if (name_of(known) != profile) continue;
    config.profile = known;
    return ok();
  }
  return Error{ErrorCode::kInvalid, fmt::format("there is no profile \"{}\"", profile),
               "pawl: nothing is lost; aws: what the service would lose is"};
}

Status set_listen(ServerConfig& config, const std::string& listen) {
  const auto colon = listen.rfind(':');
  unsigned port = 0;
  const char* const end = listen.data() + listen.size();
  if (colon != std::string::npos && colon > 0) {
    const auto [stop, error] = std::from_chars(listen.data() + colon + 1, end, port);
    if (error == std::errc() && stop == end && port <= 65535) {
      config.host = listen.substr(0, colon);
      if (config.host.front() == '[' && config.host.back() == ']') {
        config.host = config.host.substr(1, config.host.size() - 2);
      }
      config.port = static_cast<std::uint16_t>(port);
      return ok();
    }
  }
  return Error{ErrorCode::kInvalid, fmt::format("can't listen at \"{}\"", listen),
               "write HOST:PORT, as in 127.0.0.1:8000"};
}

Status set_archive(ServerConfig& config, const std::string& archive) {
  PAWL_ASSIGN_OR_RETURN(const auto place, parse_archive_place(archive, {}));
  config.archive = place.where;
  return ok();
}

Status check_config(const ServerConfig& config) {
  if (config.time_scale != 1 && config.profile == trigger::Profile::kPawl) {
    return Error{ErrorCode::kInvalid, "time_scale shortens what the profile pawl promises to keep",
                 "use it with the profile aws"};
  }
  PAWL_TRY(parse_archive_place(config.archive_path(), config.s3_endpoint));
  for (const auto& [name, settings] : config.tables) {
    if (!settings.expect || settings.expect->bucket != config.archive_bucket) continue;
    return Error{
        ErrorCode::kInvalid,
        fmt::format("tables.{}.expect.bucket is \"{}\", the name under which the archive is "
                    "read",
                    name, config.archive_bucket),
        "name another bucket, or give the archive another name with archive_bucket"};
  }
  const bool loopback =
      config.host == "localhost" || config.host == "::1" || config.host.starts_with("127.");
  if (!loopback && config.access_keys.empty()) {
    return Error{
        ErrorCode::kInvalid,
        fmt::format(
            "refusing to listen at {} without access keys: anybody who reaches it could read and "
            "write every table",
            config.host),
        "add an [[access_key]] with id and secret to pawl.toml, or listen at 127.0.0.1"};
  }
  return ok();
}

}  // namespace pawl::server
