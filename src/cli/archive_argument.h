// The ARCHIVE argument of verify, history and restore.
#pragma once

#include <memory>
#include <string>

#include "port/archive_view.h"
#include "server/archive_place.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's
class App;
}

namespace pawl::cli {

struct ArchiveArgument {
  std::string archive;
  std::string s3_endpoint;
};

// Adds ARCHIVE and --s3-endpoint. `argument` must live until the command line is parsed.
void add_archive_argument(CLI::App& command, ArchiveArgument& argument);

// Errors: kInvalid for a kind that this pawl does not know, kNotFound.
Result<server::ArchivePlace> place_of(const ArchiveArgument& argument);
Result<std::unique_ptr<ArchiveView>> open_archive(const ArchiveArgument& argument);

}  // namespace pawl::cli
