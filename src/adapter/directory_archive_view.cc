#include "adapter/directory_archive_view.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace pawl::adapter {
namespace {

// Deeper than any name of 1,024 bytes can be, and a stop for a file system that loops.
constexpr std::size_t kDepthMax = 520;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

class DirectoryArchiveView final : public ArchiveView {
 public:
  DirectoryArchiveView(std::string path, Descriptor root)
      : path_(std::move(path)), root_(std::move(root)) {}

  std::string describe() const override { return path_; }

  Status list(std::string_view prefix, const std::function<bool(const Entry&)>& visit) override {
    const std::string folder(prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1));
    std::string name(prefix);
    auto listed = list_folder(folder.empty() ? "." : folder.c_str(), name, 0, visit);
    if (!listed.ok()) return std::move(listed).error();
    return ok();
  }

  Result<std::optional<std::string>> read(std::string_view name, std::uint64_t offset,
                                          std::size_t size_max) override {
    // The last file stays open: a ledger volume is read piece by piece.
    if (!file_.ok() || name != file_name_) {
      file_name_ = name;
      file_ =
          Descriptor(::openat(root_.get(), file_name_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    }
    if (!file_.ok()) {
      if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG) {
        return std::optional<std::string>{};
      }
      return failed("open", name);
    }
    struct stat info {};
    if (::fstat(file_.get(), &info) != 0) return failed("stat", name);
    if (!S_ISREG(info.st_mode)) return std::optional<std::string>{};
    const auto size = static_cast<std::uint64_t>(info.st_size);
    std::string bytes;
    if (offset < size) bytes.resize(std::min<std::uint64_t>(size_max, size - offset));
    std::size_t filled = 0;
    while (filled < bytes.size()) {
      const auto count = ::pread(file_.get(), bytes.data() + filled, bytes.size() - filled,
                                 static_cast<off_t>(offset + filled));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed("read", name);
      if (count == 0) break;  // it became shorter meanwhile
      filled += static_cast<std::size_t>(count);
    }
    bytes.resize(filled);
    return std::optional<std::string>{std::move(bytes)};
  }

 private:
  Error failed(std::string_view operation, std::string_view name) const {
    return {ErrorCode::kUnavailable,
            fmt::format("can't {} {}/{}: {}", operation, path_, name, std::strerror(errno)),
            "check the permissions and the disk"};
  }

  // Whether to go on. `name` is the folder's name with its '/', restored before returning.
  Result<bool> list_folder(const char* relative, std::string& name, std::size_t depth,
                           const std::function<bool(const Entry&)>& visit) {
    const int fd = ::openat(root_.get(), relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
      if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return true;
      return failed("list", name);
    }
    DIR* const stream = ::fdopendir(fd);
    if (stream == nullptr) {
      ::close(fd);
      return failed("list", name);
    }
    std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, ::closedir);
    std::vector<std::string> folders;  // after the files, so that one descriptor is open at a time
    const std::size_t prefix = name.size();
    for (;;) {
      errno = 0;
      const dirent* const entry = ::readdir(stream);
      if (entry == nullptr) {
        if (errno != 0) return failed("list", name);
        break;
      }
      const std::string_view leaf = entry->d_name;
      if (leaf == "." || leaf == "..") continue;
      struct stat info {};
      if (::fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;  // a temporary of a running server
        return failed("stat", name + entry->d_name);
      }
      if (S_ISDIR(info.st_mode)) {
        folders.emplace_back(leaf);
      } else if (S_ISREG(info.st_mode)) {
        name += leaf;
        const bool go_on = visit({name, static_cast<std::uint64_t>(info.st_size)});
        name.resize(prefix);
        if (!go_on) return false;
      }
    }
    closer.reset();
    if (depth == kDepthMax) return true;
    for (const auto& folder : folders) {
      name += folder;
      const std::string path = name;
      name += '/';
      auto listed = list_folder(path.c_str(), name, depth + 1, visit);
      name.resize(prefix);
      if (!listed.ok() || !*listed) return listed;
    }
    return true;
  }

  std::string path_;
  Descriptor root_;
  Descriptor file_{-1};
  std::string file_name_;
};

}  // namespace

Result<std::unique_ptr<ArchiveView>> open_directory_archive(const std::string& path) {
  Descriptor root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.ok()) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("can't open the archive {}: {}", path, std::strerror(errno)),
                 "give the folder that `pawl serve` names as its archive"};
  }
  return std::unique_ptr<ArchiveView>(
      std::make_unique<DirectoryArchiveView>(path, std::move(root)));
}

}  // namespace pawl::adapter
