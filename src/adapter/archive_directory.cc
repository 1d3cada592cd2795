#include "adapter/archive_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "adapter/archive_identity.h"
#include "adapter/directory_listing.h"

namespace pawl {
namespace {

// Nothing but what an interrupted first open() and a new file system leave.
Result<bool> is_fresh(int root, const std::string& path) {
  PAWL_ASSIGN_OR_RETURN(const auto names, list_directory(root, path));
  for (const std::string& name : names) {
    if (name != ".pawl" && name != "lost+found") return false;
  }
  return true;
}

Result<FileDescriptor> make_and_open(int parent, const char* name, const std::string& path) {
  if (::mkdirat(parent, name, 0755) == 0) {
    PAWL_TRY(sync_file(parent, path));
  } else if (errno != EEXIST) {
    return error_of_errno(errno, "creating directory", path + "/" + name);
  }
  FileDescriptor fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return error_of_errno(errno, "opening directory", path + "/" + name);
  return fd;
}

Status empty_directory(int dir, const std::string& path) {
  PAWL_ASSIGN_OR_RETURN(const auto names, list_directory(dir, path));
  for (const std::string& name : names) {
    if (::unlinkat(dir, name.c_str(), 0) != 0 && errno != ENOENT) {
      return error_of_errno(errno, "removing", fmt::format("{}/{}", path, name));
    }
  }
  return ok();
}

}  // namespace

int DurabilityCalls::syncfs(int fd) { return ::syncfs(fd); }
int DurabilityCalls::fsync(int fd) { return ::fsync(fd); }
DurabilityCalls& DurabilityCalls::system() {
  static DurabilityCalls calls;
  return calls;
}

Result<ArchiveDirectory> ArchiveDirectory::open(const std::string& path, Random& random,
                                                Instant now) {
  ArchiveDirectory archive;
  archive.path_ = path;
  PAWL_TRY(create_directories(path, 0700));
  PAWL_ASSIGN_OR_RETURN(archive.root_, open_directory(path));
  PAWL_ASSIGN_OR_RETURN(const bool fresh, is_fresh(archive.root(), path));
  if (!fresh && ::faccessat(archive.root(), ".pawl/archive.json", F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error{ErrorCode::kInvalid,
                 "opening archive " + path + ": it holds files, and is no archive of Pawl's",
                 "name an empty or a new directory"};
  }
  PAWL_ASSIGN_OR_RETURN(archive.pawl_, make_and_open(archive.root(), ".pawl", path));
  PAWL_ASSIGN_OR_RETURN(archive.lock_, lock_file(archive.pawl(), "lock", "archive " + path));
  PAWL_TRY(archive.read_or_make_identity(fresh, random, now));
  for (const char* name : {"tmp", "ledger", "hashed"}) {
    PAWL_ASSIGN_OR_RETURN(const auto dir, make_and_open(archive.pawl(), name, path + "/.pawl"));
    if (std::string_view(name) == "tmp") PAWL_TRY(empty_directory(dir.get(), path + "/.pawl/tmp"));
  }
  return archive;
}

Status ArchiveDirectory::read_or_make_identity(bool fresh, Random& random, Instant now) {
  PAWL_ASSIGN_OR_RETURN(const auto text, read_file(pawl(), "archive.json", 4096));
  if (text) {
    PAWL_ASSIGN_OR_RETURN(id_, parse_archive_identity(*text, path_));
    return ok();
  }
  // Only a directory that held nothing gets an identity: one that lost it must not get another.
  PAWL_ASSIGN_OR_RETURN(const auto names, list_directory(pawl(), path_ + "/.pawl"));
  for (const std::string& name : names) {
    if (!fresh || (name != "lock" && name != "archive.json.new")) {
      return Error{ErrorCode::kCorrupt,
                   "opening archive " + path_ + ": .pawl/archive.json is missing",
                   "put it back from a copy of the archive"};
    }
  }
  id_ = random.next();
  PAWL_TRY(replace_file(pawl(), "archive.json", render_archive_identity(id_, now), 0644));
  created_ = true;
  return ok();
}

}  // namespace pawl
