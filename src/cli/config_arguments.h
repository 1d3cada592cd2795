// The arguments that say which data directory and archive: those of serve and adopt.
#pragma once

#include <string>

#include "server/config.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's
class App;
}

namespace pawl::cli {

struct ConfigArguments {
  std::string config;
  std::string data;
  std::string archive;
  std::string s3_endpoint;
};

// Adds --config, --data, --archive and --s3-endpoint. `arguments` must live until the command line is parsed.
void add_config_options(CLI::App& command, ConfigArguments& arguments);

// Defaults, then the file, then the command line.
Result<server::ServerConfig> config_of(const ConfigArguments& arguments);

}  // namespace pawl::cli
