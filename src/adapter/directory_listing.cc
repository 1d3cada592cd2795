#include "adapter/directory_listing.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "adapter/posix_file.h"

namespace pawl {

Result<std::vector<std::string>> list_directory(int dir, const std::string& path) {
  // A descriptor of its own, since reading moves the position and closedir() closes.
  const int fd = ::openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return error_of_errno(errno, "reading directory", path);
  DIR* stream = ::fdopendir(fd);
  if (stream == nullptr) {
    const int number = errno;
    FileDescriptor{fd}.close();
    return error_of_errno(number, "reading directory", path);
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  const int number = errno;
  ::closedir(stream);
  if (number != 0) return error_of_errno(number, "reading directory", path);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace pawl
