#include "adapter/file_body_reader.h"

#include <unistd.h>

#include <cerrno>

namespace pawl {

Result<std::string> FileBodyReader::read(std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(file_.get(), bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error_of_errno(errno, "reading body", name_);
    if (got == 0) {
      return Error{ErrorCode::kCorrupt,
                   "reading body " + name_ + ": it ends before its record says",
                   "restore it from a copy"};
    }
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace pawl
