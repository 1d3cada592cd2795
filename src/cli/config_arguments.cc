#include "cli/config_arguments.h"

#include <CLI/CLI.hpp>

namespace pawl::cli {

void add_config_options(CLI::App& command, ConfigArguments& arguments) {
  command.add_option("--config", arguments.config, "Settings: pawl.toml (docs/guide.md)");
  command.add_option("--data", arguments.data,
                     "Data directory: tables and change log [./pawl-data]");
  command.add_option("--archive", arguments.archive,
                     "Where versions go: dir:PATH [dir:DATA/archive]");
}

Result<server::ServerConfig> config_of(const ConfigArguments& arguments) {
  server::ServerConfig config;
  if (!arguments.config.empty()) {
    PAWL_ASSIGN_OR_RETURN(config, server::load_config(arguments.config));
  }
  if (!arguments.data.empty()) config.data = arguments.data;
  if (!arguments.archive.empty()) PAWL_TRY(server::set_archive(config, arguments.archive));
  return config;
}

}  // namespace pawl::cli
