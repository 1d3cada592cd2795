#include "adapter/archive_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <vector>

#include "adapter/directory_listing.h"
#include "base/hex.h"
#include "base/json_writer.h"

namespace pawl {
namespace {

constexpr std::string_view kBeforeFormat = R"({"format":"pawl-archive/)";
constexpr std::string_view kBeforeId = R"(","archive":")";
constexpr std::string_view kBeforeCreated = R"(","created":")";
constexpr std::string_view kAtEnd = "\"}\n";

std::string hex_of(std::uint64_t id) {
  std::string text(16, '0');
  for (std::size_t i = 16; i > 0; --i, id >>= 4) text[i - 1] = "0123456789abcdef"[id & 15];
  return text;
}

bool take(std::string_view& text, std::string_view expected) {
  if (text.substr(0, expected.size()) != expected) return false;
  text.remove_prefix(expected.size());
  return true;
}

// The file is written whole by one program, so only the exact form is right. A newer format is told
// apart before the rest is looked at.
Result<std::uint64_t> parse_identity(std::string_view text, const std::string& path) {
  const Error damaged{ErrorCode::kCorrupt,
                      "opening archive " + path + ": .pawl/archive.json is damaged",
                      "put it back from a copy of the archive"};
  unsigned format = 0;
  if (!take(text, kBeforeFormat)) return damaged;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), format);
  if (error != std::errc() || format == 0) return damaged;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (format > kArchiveFormat) {
    return Error{ErrorCode::kInvalid,
                 "opening archive " + path + ": it has format pawl-archive/" +
                     std::to_string(format) + ", and this pawl writes pawl-archive/" +
                     std::to_string(kArchiveFormat),
                 "use the newer pawl that made it"};
  }
  if (!take(text, kBeforeId)) return damaged;
  const auto id = parse_hex_number(text.substr(0, 16), 16);
  if (!id) return damaged;
  text.remove_prefix(16);
  if (!take(text, kBeforeCreated) || text.size() < kAtEnd.size()) return damaged;
  const std::string_view created = text.substr(0, text.size() - kAtEnd.size());
  if (!Instant::parse(created) || text.substr(created.size()) != kAtEnd) return damaged;
  return *id;
}

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
      return error_of_errno(errno, "removing", path + "/" + name);
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
    PAWL_ASSIGN_OR_RETURN(id_, parse_identity(*text, path_));
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
  std::string json;
  JsonWriter(json)
      .begin_object()
      .field("format", "pawl-archive/" + std::to_string(kArchiveFormat))
      .field("archive", hex_of(id_))
      .field("created", now.to_string())
      .end_object();
  json += '\n';
  PAWL_TRY(replace_file(pawl(), "archive.json", json, 0644));
  created_ = true;
  return ok();
}

}  // namespace pawl
