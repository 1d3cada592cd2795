#include "observe/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/json_writer.h"

namespace pawl::observe {
namespace {

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made =
        std::make_shared<spdlog::logger>("pawl", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc));
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}

std::string line_of(std::string_view level, std::string_view event, const Fields& fields) {
  std::string line(level);
  line += ' ';
  line += event;
  for (const auto& [name, value] : fields) {
    line += ' ';
    line += name;
    line += '=';
    const bool plain = !value.empty() && value.find_first_of(" \t\r\n\"\\=") == std::string::npos;
    if (plain) {
      line += value;
    } else {
      append_json_string(line, value);
    }
  }
  return line;
}

}  // namespace

void info(std::string_view event, const Fields& fields) {
  if (logger().should_log(spdlog::level::info)) logger().info(line_of("INFO", event, fields));
}

void alarm(std::string_view event, const Fields& fields) {
  logger().warn(line_of("ALARM", event, fields));
}

void only_alarms() { logger().set_level(spdlog::level::warn); }

}  // namespace pawl::observe
