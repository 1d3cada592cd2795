// The ARCHIVE argument of verify, history and restore.
#pragma once

#include <memory>
#include <string>

#include "port/archive_view.h"

namespace pawl::cli {

// "dir:PATH" or just PATH. Errors: kInvalid for a kind that this pawl does not know, kNotFound.
Result<std::string> archive_path(const std::string& argument);
Result<std::unique_ptr<ArchiveView>> open_archive(const std::string& argument);

}  // namespace pawl::cli
