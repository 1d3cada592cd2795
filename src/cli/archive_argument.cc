#include "cli/archive_argument.h"

#include <CLI/CLI.hpp>

namespace pawl::cli {

void add_archive_argument(CLI::App& command, ArchiveArgument& argument) {
  command
      .add_option("archive", argument.archive,
                  "The archive: a folder, dir:PATH, or s3://BUCKET/PREFIX")
      ->required();
  command.add_option("--s3-endpoint", argument.s3_endpoint,
                     "URL of the bucket's store [AWS_ENDPOINT_URL_S3, else Amazon's]");
}

Result<server::ArchivePlace> place_of(const ArchiveArgument& argument) {
  return server::parse_archive_place(argument.archive, argument.s3_endpoint);
}

Result<std::unique_ptr<ArchiveView>> open_archive(const ArchiveArgument& argument) {
  PAWL_ASSIGN_OR_RETURN(const auto place, place_of(argument));
  return server::open_archive_view(place);
}

}  // namespace pawl::cli
