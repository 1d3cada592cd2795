#include "adapter/data_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "adapter/directory_listing.h"

namespace pawl {
namespace {

constexpr std::string_view kFormatPrefix = "pawl-data/";

// Nothing but what an interrupted first open() leaves.
Result<bool> is_fresh(int dir, const std::string& path) {
  PAWL_ASSIGN_OR_RETURN(const auto names, list_directory(dir, path));
  for (const std::string& name : names) {
    if (name != "LOCK" && name != "FORMAT.new") return false;
  }
  return true;
}

Status check_format(const std::string& path, std::string_view content) {
  unsigned format = 0;
  const bool has_prefix = content.substr(0, kFormatPrefix.size()) == kFormatPrefix;
  if (has_prefix) content.remove_prefix(kFormatPrefix.size());
  const auto [end, error] =
      std::from_chars(content.data(), content.data() + content.size(), format);
  if (!has_prefix || error != std::errc() || format == 0 ||
      std::string_view(end, content.data() + content.size()) != "\n") {
    return Error{ErrorCode::kCorrupt,
                 "opening data directory " + path + ": its FORMAT file says nothing known",
                 "it should be the line pawl-data/1"};
  }
  if (format > kDataFormat) {
    return Error{ErrorCode::kInvalid,
                 "opening data directory " + path + ": it has format pawl-data/" +
                     std::to_string(format) + ", and this pawl reads up to pawl-data/" +
                     std::to_string(kDataFormat),
                 "use the newer pawl that made it"};
  }
  return ok();
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const std::string& path) {
  DataDirectory data;
  data.path_ = path;
  PAWL_TRY(create_directories(path, 0700));
  PAWL_ASSIGN_OR_RETURN(data.directory_, open_directory(path));
  const int dir = data.directory_.get();
  PAWL_ASSIGN_OR_RETURN(const auto before_lock, read_file(dir, "FORMAT", 256));
  if (!before_lock) {
    // Looked at before the lock file is made: a foreign directory stays untouched.
    PAWL_ASSIGN_OR_RETURN(const bool fresh, is_fresh(dir, path));
    if (!fresh) {
      return Error{ErrorCode::kInvalid,
                   "opening data directory " + path + ": it is not empty, and not Pawl's",
                   "name an empty or a new directory"};
    }
  } else {
    PAWL_TRY(check_format(path, *before_lock));
  }
  PAWL_ASSIGN_OR_RETURN(data.lock_, lock_file(dir, "LOCK", "data directory " + path));
  if (::fchmod(dir, 0700) != 0) return error_of_errno(errno, "protecting data directory", path);
  PAWL_ASSIGN_OR_RETURN(const auto format, read_file(dir, "FORMAT", 256));
  if (!format) {
    PAWL_TRY(replace_file(dir, "FORMAT", "pawl-data/" + std::to_string(kDataFormat) + "\n", 0600));
    data.created_ = true;
  } else {
    PAWL_TRY(check_format(path, *format));
  }
  return data;
}

}  // namespace pawl
