#include "cli/config_arguments.h"

#include <CLI/CLI.hpp>

namespace pawl::cli {

void add_config_options(CLI::App& command, ConfigArguments& arguments) {
  command.add_option("--config", arguments.config, "Settings: pawl.toml (docs/guide.md)");
  command.add_option("--data", arguments.data,
                     "Data directory: tables and change log [./pawl-data]");
  command.add_option("--archive", arguments.archive,
                     "Where versions go: dir:PATH, or s3://BUCKET/PREFIX [dir:DATA/archive]");
  command.add_option("--s3-endpoint", arguments.s3_endpoint,
                     "URL of the bucket's store [AWS_ENDPOINT_URL_S3, else Amazon's]");
}

Result<server::ServerConfig> config_of(const ConfigArguments& arguments) {
  server::ServerConfig config;
  if (!arguments.config.empty()) {
    PAWL_ASSIGN_OR_RETURN(config, server::load_config(arguments.config));
  }
  if (!arguments.data.empty()) config.data = arguments.data;
  if (!arguments.archive.empty()) PAWL_TRY(server::set_archive(config, arguments.archive));
  if (!arguments.s3_endpoint.empty()) config.s3_endpoint = arguments.s3_endpoint;
  return config;
}

}  // namespace pawl::cli
