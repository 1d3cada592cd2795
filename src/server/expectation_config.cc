#include "server/expectation_config.h"

#include <fmt/format.h>

#include "archive/object_naming.h"
#include "server/config_section.h"
#include "wire/s3_call.h"

namespace pawl::server {
namespace {

constexpr std::string_view kExpectForm =
    R"(must be written as { bucket = "history", name = "logs/{id}-{v}.log" })";

Result<ExpectationConfig> read_expectation(Section section) {
  ExpectationConfig config;
  std::string on_missing = "write";
  std::string version_attribute;
  PAWL_TRY(section.read("bucket", config.bucket));
  PAWL_TRY(section.read("name", config.names));
  PAWL_TRY(section.read_long_duration("deadline", kDeadlineMin, kDeadlineMax, R"("1s" to "24h")",
                                      config.deadline));
  PAWL_TRY(section.read("on_missing", on_missing));
  PAWL_TRY(section.read("version_attribute", version_attribute));
  PAWL_TRY(section.check_unknown());
  if (!wire::is_bucket_name(config.bucket)) {
    return section.wrong("bucket",
                         "must be a bucket's name: 3 to 63 of a-z, 0-9, - and ., and none of "
                         "Pawl's own words");
  }
  const auto parsed = archive::NameTemplate::parse(config.names);
  if (!parsed.ok()) return section.wrong("name", parsed.error().to_string());
  if (on_missing != "write" && on_missing != "alert") {
    return section.wrong("on_missing",
                         "must be \"write\" (Pawl puts in what does not come) or \"alert\" (it is "
                         "told, and missing for good)");
  }
  config.writes = on_missing == "write";
  if (section.has("version_attribute")) {
    if (version_attribute.empty()) return section.wrong("version_attribute", "must not be empty");
    config.version_attribute = version_attribute;
  }
  return config;
}

}  // namespace

Result<RecordChoice> read_record_choice(Section& table) {
  RecordChoice choice;
  PAWL_ASSIGN_OR_RETURN(const auto* const expect, table.read_table("expect"));
  if (expect != nullptr) {
    PAWL_ASSIGN_OR_RETURN(choice.expect, read_expectation({*expect, table.name_of("expect")}));
    choice.archive = false;
  }
  if (!table.has("record")) return choice;
  if (bool is_recorded = true; table.read("record", is_recorded).ok()) {
    if (choice.expect && is_recorded)
      return table.wrong("record", R"(beside expect is "expectation" (alone) or "both")");
    choice.archive = is_recorded;
    return choice;
  }
  std::string record;
  PAWL_TRY(table.read("record", record));
  if (record == "archive" && !choice.expect) return choice;
  if (record == "archive") {
    return table.wrong(
        "record",
        R"(is "archive", and expect asks for an expectation: write "both", or take expect out)");
  }
  if (record != "expectation" && record != "both")
    return table.wrong("record", R"(must be true, false, "archive", "expectation" or "both")");
  if (!choice.expect) {
    return table.wrong(
        "record", fmt::format(R"(is "{}", and there is no expect, which {})", record, kExpectForm));
  }
  choice.archive = record == "both";
  return choice;
}

}  // namespace pawl::server
