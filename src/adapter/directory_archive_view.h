// An archive in a directory, read-only, for verify, history and restore.
#pragma once

#include <memory>

#include "port/archive_view.h"

namespace pawl::adapter {

// Follows no symbolic link below `path` and takes no lock, so it works on a copy, on a read-only
// file system, and beside a running server. Errors: kNotFound with a hint where `path` is no
// directory.
Result<std::unique_ptr<ArchiveView>> open_directory_archive(const std::string& path);

}  // namespace pawl::adapter
