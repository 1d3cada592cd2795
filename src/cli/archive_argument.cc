#include "cli/archive_argument.h"

#include <fmt/format.h>

#include "adapter/directory_archive_view.h"

namespace pawl::cli {

Result<std::string> archive_path(const std::string& argument) {
  if (argument.starts_with("dir:")) return argument.substr(4);
  if (argument.find("://") != std::string::npos) {
    return Error{ErrorCode::kInvalid, fmt::format("this pawl can't read the archive {}", argument),
                 "archives are folders for now: give a path, or dir:PATH"};
  }
  return argument;
}

Result<std::unique_ptr<ArchiveView>> open_archive(const std::string& argument) {
  PAWL_ASSIGN_OR_RETURN(const auto path, archive_path(argument));
  return adapter::open_directory_archive(path);
}

}  // namespace pawl::cli
