#include "adapter/directory_object_store.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <thread>

#include "adapter/directory_listing.h"
#include "adapter/unplaced_file.h"

namespace pawl {
namespace {

constexpr std::size_t kNameBytesMax = 1024;
constexpr std::size_t kComponentBytesMax = 255;  // of Linux file systems
constexpr rlim_t kNamelessMax = 4096;            // the archiver's largest batch
constexpr const char* kHashed = ".pawl/hashed";
// A thread costs some 30 µs, a file as much: below this many a second one isn't worth it.
constexpr std::size_t kTwoThreadsFrom = 64;

// A name that can't be a path beneath the archive is a defect above; it must not reach the file
// system.
bool is_legal(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || name.starts_with(".pawl") ||
      name.starts_with(".suspect")) {
    return false;
  }
  for (std::size_t start = 0; start <= name.size();) {
    const std::size_t end = std::min(name.find('/', start), name.size());
    const std::string_view part = name.substr(start, end - start);
    if (part.empty() || part == "." || part == ".." || part.size() > kComponentBytesMax)
      return false;
    if (part.find('\0') != std::string_view::npos) return false;
    start = end + 1;
  }
  return true;
}

std::string_view directory_of(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

std::string entry_of(std::string_view name) {
  return std::string(name.substr(name.rfind('/') + 1));  // npos + 1 is 0
}

std::string hashed_entry(std::string_view name) { return sha256(name).to_hex(); }

int rename_if_absent(int from_dir, const std::string& from, int to_dir, const std::string& to) {
  return ::renameat2(from_dir, from.c_str(), to_dir, to.c_str(), RENAME_NOREPLACE);
}

// Opened for each batch, so that a directory that was replaced is noticed. None: errno says why.
FileDescriptor open_tmp(const ArchiveDirectory& archive) {
  return FileDescriptor(
      ::openat(archive.pawl(), "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

enum class EntryKind { kAbsent, kFile, kDirectory, kOther };

EntryKind kind_of(int dir, const std::string& entry) {
  struct stat about {};
  if (::fstatat(dir, entry.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) return EntryKind::kAbsent;
  if (S_ISREG(about.st_mode)) return EntryKind::kFile;
  return S_ISDIR(about.st_mode) ? EntryKind::kDirectory : EntryKind::kOther;
}

}  // namespace

struct DirectoryObjectStore::Put {
  enum class State { kTemporary, kClash, kInPlace, kSettled };

  const PutRequest* request;
  PutResult* result;
  UnplacedFile file;
  State state = State::kSettled;
  bool needs_sync = false;  // its result holds only if the directories' sync succeeds

  void settle(PutOutcome outcome, std::string why = {}) {
    state = State::kSettled;
    *result = {outcome, std::move(why)};
  }
  void refuse(const Error& error) {
    settle(PutOutcome::kRefused,
           "putting " + std::string(request->name) + ": " + error.to_string());
  }
};

struct DirectoryObjectStore::Batch {
  std::vector<Put> puts;
  BatchDirectories directories;
  FileDescriptor tmp;
};

Result<std::unique_ptr<DirectoryObjectStore>> DirectoryObjectStore::open(
    const ArchiveDirectory& archive, DurabilityCalls& calls, DirectoryStoreOptions options) {
  auto store = std::unique_ptr<DirectoryObjectStore>(new DirectoryObjectStore(archive, calls));
  SeenDirectories nothing_seen;
  BatchDirectories directories(archive, nothing_seen);
  PAWL_ASSIGN_OR_RETURN(const auto hashed, directories.open(kHashed, /*make=*/true));
  PAWL_ASSIGN_OR_RETURN(const auto names,
                        list_directory(hashed.fd, archive.path() + "/" + kHashed));
  store->hashes_in_use_ = !names.empty();
  store->nameless_max_ = options.nameless ? store->nameless_here() : 0;
  return store;
}

// Each holds a descriptor until its batch has ended: a quarter of what the process may have, the rest is for connections.
std::size_t DirectoryObjectStore::nameless_here() {
  const FileDescriptor tmp = open_tmp(archive_);
  struct rlimit files {};
  if (!tmp || ::getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
  if (!UnplacedFile::nameless_works(tmp.get(), temporaries_++)) return 0;
  return static_cast<std::size_t>(std::min<rlim_t>(files.rlim_cur / 4, kNamelessMax));
}

Awaitable<std::vector<PutResult>> DirectoryObjectStore::put_if_absent(
    std::span<const PutRequest> requests) {
  co_return put_batch(requests);
}

Awaitable<Result<std::optional<std::string>>> DirectoryObjectStore::get(std::string_view name,
                                                                        std::size_t size_max) {
  co_return read_object(name, size_max);
}

Awaitable<Status> DirectoryObjectStore::set_aside(std::span<const std::string> names) {
  co_return move_aside(names);
}

std::vector<PutResult> DirectoryObjectStore::put_batch(std::span<const PutRequest> requests) {
  std::vector<PutResult> results(requests.size());
  Batch batch{{}, BatchDirectories(archive_, seen_), {}};
  batch.puts.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    batch.puts.push_back({&requests[i], &results[i], {}, Put::State::kSettled, false});
  }
  const bool any = write_temporaries(batch);
  if (any && calls_.syncfs(archive_.for_syncfs()) != 0) {
    const Error error = error_of_errno(errno, "syncing archive", archive_.path());
    for (Put& put : batch.puts) {
      if (put.state == Put::State::kTemporary) put.refuse(error);
    }
  }
  for (Put& put : batch.puts) {
    if (put.state == Put::State::kTemporary) place(batch, put);
  }
  place_hashed(batch);
  finish(batch);
  return results;
}

bool DirectoryObjectStore::write_temporaries(Batch& batch) {
  batch.tmp = open_tmp(archive_);
  if (!batch.tmp) {
    const Error error = error_of_errno(errno, "opening directory", archive_.path() + "/.pawl/tmp");
    for (Put& put : batch.puts) put.refuse(error);
    return false;
  }
  const std::uint64_t first = temporaries_;
  temporaries_ += batch.puts.size();
  // The kernel's part is nearly all of it, and two threads get twice as much of that done.
  const auto write = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      write_temporary(batch.tmp.get(), i, first + i, batch.puts[i]);
    }
  };
  const std::size_t size = batch.puts.size();
  const std::size_t half = size >= kTwoThreadsFrom ? size / 2 : size;
  std::optional<std::jthread> other;
  if (half < size) other.emplace(write, half, size);
  write(0, half);
  if (other) other->join();
  return std::any_of(batch.puts.begin(), batch.puts.end(),
                     [](const Put& put) { return put.state == Put::State::kTemporary; });
}

// On either thread: touches nothing but `put`.
void DirectoryObjectStore::write_temporary(int tmp, std::size_t place_in_batch,
                                           std::uint64_t number, Put& put) const {
  const std::string_view name = put.request->name;
  if (!is_legal(name)) {
    return put.settle(PutOutcome::kRefused,
                      "putting " + std::string(name) + ": not a legal object name");
  }
  auto written = place_in_batch < nameless_max_
                     ? UnplacedFile::write_nameless(tmp, put.request->body)
                     : UnplacedFile::write_named(tmp, number, put.request->body);
  if (!written.ok()) return put.refuse(written.error());
  put.file = *std::move(written);
  put.state = Put::State::kTemporary;
}

bool DirectoryObjectStore::is_hashed(const std::string& hashed_name) const {
  return hashes_in_use_ &&
         ::faccessat(archive_.root(), (std::string(kHashed) + "/" + hashed_name).c_str(), F_OK,
                     AT_SYMLINK_NOFOLLOW) == 0;
}

void DirectoryObjectStore::place(Batch& batch, Put& put) {
  const std::string_view name = put.request->name;
  const std::string_view directory = directory_of(name);
  const std::string entry = entry_of(name);
  const auto dir = batch.directories.open(directory, /*make=*/true);
  if (!dir.ok()) return put.refuse(dir.error());
  // The path goes first for readers, so it goes first here; the hash only where it has been used.
  if (dir->clash ||
      (is_hashed(hashed_entry(name)) && kind_of(dir->fd, entry) != EntryKind::kFile)) {
    put.state = Put::State::kClash;
    return;
  }
  if (put.file.place(batch.tmp.get(), dir->fd, entry) == 0) {
    batch.directories.touch(directory);
    put.state = Put::State::kInPlace;
    put.needs_sync = true;
    return;
  }
  if (errno != EEXIST) return put.refuse(error_of_errno(errno, "renaming to", name));
  switch (kind_of(dir->fd, entry)) {
    case EntryKind::kFile:
      batch.directories.touch(directory);
      return compare(put, dir->fd, entry);
    case EntryKind::kDirectory:
      put.state = Put::State::kClash;
      return;
    default:
      return put.refuse(error_of_errno(EEXIST, "what is there is no regular file:", name));
  }
}

// There is a regular file already: equal or not. An equal one is synced itself, since it may be
// what an earlier process wrote and didn't sync.
void DirectoryObjectStore::compare(Put& put, int dir, const std::string& entry) {
  const PutRequest& request = *put.request;
  const FileDescriptor file(
      ::openat(dir, entry.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat about {};
  if (!file || ::fstat(file.get(), &about) != 0) {
    return put.refuse(error_of_errno(errno, "reading", request.name));
  }
  bool equal =
      S_ISREG(about.st_mode) && static_cast<std::size_t>(about.st_size) == request.body.size();
  std::string buffer(std::min<std::size_t>(request.body.size(), 65536), '\0');
  for (std::size_t at = 0; equal && at < request.body.size();) {
    const ssize_t got = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return put.refuse(error_of_errno(errno, "reading", request.name));
    const std::string_view part(buffer.data(), static_cast<std::size_t>(got));
    equal = got > 0 && request.body.substr(at, part.size()) == part;
    at += part.size();
  }
  if (!equal) return put.settle(PutOutcome::kAlreadyDifferent);
  if (in_doubt_.find(request.name) != in_doubt_.end()) {
    return put.settle(PutOutcome::kUnknown,
                      "putting " + std::string(request.name) +
                          ": it is there since a sync that failed; it must be set aside first");
  }
  if (calls_.fsync(file.get()) != 0) {
    in_doubt_.emplace(request.name);
    return put.settle(PutOutcome::kUnknown,
                      error_of_errno(errno, "syncing", request.name).to_string());
  }
  put.settle(PutOutcome::kAlreadyEqual);
  put.needs_sync = true;
}

// Names that can't be paths here. Rare, so three plain passes: names durable first, then the
// objects.
void DirectoryObjectStore::place_hashed(Batch& batch) {
  bool any = false;
  for (Put& put : batch.puts) {
    if (put.state != Put::State::kClash) continue;
    const auto dir = batch.directories.open(kHashed, /*make=*/true);
    if (!dir.ok()) {
      put.refuse(dir.error());
      continue;
    }
    const std::string entry = hashed_entry(put.request->name) + ".name";
    if (kind_of(dir->fd, entry) != EntryKind::kFile) {
      hashes_in_use_ = true;
      const Status named = replace_file(dir->fd, entry, put.request->name, kObjectMode);
      if (!named.ok()) {
        put.refuse(named.error());
        continue;
      }
    }
    any = true;
  }
  if (!any) return;
  for (Put& put : batch.puts) {
    if (put.state != Put::State::kClash) continue;
    const auto dir = batch.directories.open(kHashed, /*make=*/false);
    if (!dir.ok()) {
      put.refuse(dir.error());
      continue;
    }
    const std::string entry = hashed_entry(put.request->name);
    batch.directories.touch(kHashed);
    if (put.file.place(batch.tmp.get(), dir->fd, entry) == 0) {
      put.state = Put::State::kInPlace;
      put.needs_sync = true;
    } else if (errno == EEXIST) {
      compare(put, dir->fd, entry);
    } else {
      put.refuse(error_of_errno(errno, "renaming to", std::string(kHashed) + "/" + entry));
    }
  }
}

void DirectoryObjectStore::finish(Batch& batch) {
  const Status synced = batch.directories.sync(calls_);
  for (Put& put : batch.puts) {
    const bool in_place = put.state == Put::State::kInPlace;
    if (!in_place) put.file.drop(batch.tmp.get());
    if (!put.needs_sync) continue;
    if (synced.ok()) {
      if (in_place) put.settle(PutOutcome::kStored);
    } else {
      in_doubt_.emplace(put.request->name);
      put.settle(PutOutcome::kUnknown,
                 "putting " + std::string(put.request->name) + ": " + synced.error().to_string());
    }
  }
}

Result<std::optional<std::string>> DirectoryObjectStore::read_object(std::string_view name,
                                                                     std::size_t size_max) {
  if (!is_legal(name)) {
    return Error{
        ErrorCode::kInvalid, "reading " + std::string(name) + ": not a legal object name", {}};
  }
  BatchDirectories directories(archive_, seen_);
  const auto dir = directories.open(directory_of(name), /*make=*/false);
  if (!dir.ok() && dir.error().code != ErrorCode::kNotFound) return dir.error();
  if (dir.ok() && !dir->clash && kind_of(dir->fd, entry_of(name)) == EntryKind::kFile) {
    return read_file(dir->fd, entry_of(name), size_max);
  }
  if (!hashes_in_use_) return std::optional<std::string>();
  PAWL_ASSIGN_OR_RETURN(const auto hashed, directories.open(kHashed, /*make=*/true));
  return read_file(hashed.fd, hashed_entry(name), size_max);
}

Status DirectoryObjectStore::move_aside(std::span<const std::string> names) {
  BatchDirectories directories(archive_, seen_);
  struct timespec now {};
  ::clock_gettime(CLOCK_REALTIME, &now);  // only to tell names apart over restarts
  const std::string prefix = std::to_string(now.tv_sec) + "." + std::to_string(now.tv_nsec) + "-";
  std::size_t moved = 0;
  FileDescriptor suspects;
  const auto move = [&](std::string_view path, int dir, const std::string& entry) -> Status {
    if (kind_of(dir, entry) != EntryKind::kFile) return ok();
    if (!suspects) {
      if (::mkdirat(archive_.root(), ".suspect", 0755) == 0) {
        directories.touch("");
      } else if (errno != EEXIST) {
        return error_of_errno(errno, "creating directory", archive_.path() + "/.suspect");
      }
      suspects = FileDescriptor(
          ::openat(archive_.root(), ".suspect", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!suspects) {
        return error_of_errno(errno, "opening directory", archive_.path() + "/.suspect");
      }
    }
    if (rename_if_absent(dir, entry, suspects.get(), prefix + std::to_string(moved++)) != 0) {
      return error_of_errno(errno, "setting aside", std::string(path) + "/" + entry);
    }
    directories.touch(path);
    directories.touch(".suspect");
    return ok();
  };
  for (const std::string& name : names) {
    if (!is_legal(name)) continue;
    const auto dir = directories.open(directory_of(name), /*make=*/false);
    if (!dir.ok() && dir.error().code != ErrorCode::kNotFound) return dir.error();
    if (dir.ok() && !dir->clash) PAWL_TRY(move(directory_of(name), dir->fd, entry_of(name)));
    if (hashes_in_use_) {
      PAWL_ASSIGN_OR_RETURN(const auto hashed, directories.open(kHashed, /*make=*/true));
      PAWL_TRY(move(kHashed, hashed.fd, hashed_entry(name)));
    }
  }
  PAWL_TRY(directories.sync(calls_));
  for (const std::string& name : names) in_doubt_.erase(name);
  return ok();
}

Result<std::optional<std::uint64_t>> DirectoryObjectStore::free_bytes() {
  struct statvfs about {};
  if (::fstatvfs(archive_.root(), &about) != 0) {
    return error_of_errno(errno, "asking the room of", archive_.path());
  }
  return std::optional<std::uint64_t>(static_cast<std::uint64_t>(about.f_bavail) * about.f_frsize);
}

}  // namespace pawl
