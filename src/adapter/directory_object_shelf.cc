#include "adapter/directory_object_shelf.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "adapter/directory_listing.h"
#include "adapter/file_body_reader.h"
#include "base/digest.h"
#include "item/utf8.h"

namespace pawl {
namespace {

constexpr std::size_t kNameBytesMax = 1024;
constexpr std::size_t kComponentBytesMax = 255;
constexpr std::string_view kHashed = ".pawl/hashed/";
constexpr std::string_view kNameFile = ".name";

// Pawl's own, and the file system's. Objects' names begin with neither.
bool is_hidden(std::string_view name) {
  return name.starts_with(".pawl") || name.starts_with(".suspect") ||
         name.starts_with("lost+found/");
}

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || is_hidden(name)) return false;
  for (std::size_t start = 0; start <= name.size();) {
    const std::size_t end = std::min(name.find('/', start), name.size());
    const std::string_view part = name.substr(start, end - start);
    if (part.empty() || part == "." || part == ".." || part.size() > kComponentBytesMax)
      return false;
    start = end + 1;
  }
  return name.find('\0') == std::string_view::npos;
}

// What there is instead of an entry that was asked for: nothing that is an object.
bool is_absence(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG;
}

ShelvedAbout about_of(const struct stat& about) {
  return {
      static_cast<std::uint64_t>(about.st_size),
      {static_cast<std::int64_t>(about.st_mtim.tv_sec) * 1'000'000 + about.st_mtim.tv_nsec / 1000}};
}

// Calls `take` with each entry that is a folder ("name/") or a regular file ("name"), until it says no. In no order.
template <typename Take>
Status each_entry(const FileDescriptor& folder, const std::string& path, const Take& take) {
  const int fd = ::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const stream = fd < 0 ? nullptr : ::fdopendir(fd);
  if (stream == nullptr) {
    if (fd >= 0) FileDescriptor(fd).close();
    return error_of_errno(errno, "listing", path);
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, ::closedir);
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(stream);
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    unsigned char type = entry->d_type;
    if (type == DT_UNKNOWN) {
      struct stat about {};
      if (::fstatat(fd, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0) continue;
      type = S_ISDIR(about.st_mode) ? DT_DIR : S_ISREG(about.st_mode) ? DT_REG : DT_UNKNOWN;
    }
    if (type == DT_DIR) name.push_back('/');
    if (type != DT_DIR && type != DT_REG) continue;
    if (!take(std::move(name))) return ok();
  }
  if (errno != 0) return error_of_errno(errno, "listing", path);
  return ok();
}

}  // namespace

Result<std::unique_ptr<DirectoryObjectShelf>> DirectoryObjectShelf::open_archive(
    const std::string& path, std::size_t window) {
  PAWL_ASSIGN_OR_RETURN(FileDescriptor root, open_directory(path));
  return std::unique_ptr<DirectoryObjectShelf>(
      new DirectoryObjectShelf(path, std::move(root), window));
}

Result<Instant> DirectoryObjectShelf::created() const {
  struct stat about {};
  if (::fstatat(root_.get(), ".pawl/archive.json", &about, AT_SYMLINK_NOFOLLOW) != 0)
    return error_of_errno(errno, "reading", path_ + "/.pawl/archive.json");
  return about_of(about).modified;
}

Result<std::optional<FileDescriptor>> DirectoryObjectShelf::open_folder(
    std::string_view folder) const {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  FileDescriptor at(::openat(root_.get(), ".", kFlags));
  if (!at) return error_of_errno(errno, "opening", path_);
  while (!folder.empty()) {
    const std::size_t end = folder.find('/');
    FileDescriptor next(::openat(at.get(), std::string(folder.substr(0, end)).c_str(), kFlags));
    if (!next && is_absence(errno)) return std::optional<FileDescriptor>();
    if (!next) return error_of_errno(errno, "opening a folder of", path_);
    at = std::move(next);
    folder.remove_prefix(end + 1);
  }
  return std::optional<FileDescriptor>(std::move(at));
}

Result<std::optional<FileDescriptor>> DirectoryObjectShelf::open_file(std::string_view name) const {
  const auto in = [this](std::string_view folder,
                         const std::string& entry) -> Result<std::optional<FileDescriptor>> {
    PAWL_ASSIGN_OR_RETURN(const auto at, open_folder(folder));
    if (!at) return std::optional<FileDescriptor>();
    FileDescriptor file(
        ::openat(at->get(), entry.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file && !is_absence(errno))
      return error_of_errno(errno, "opening", path_ + "/" + std::string(folder) + entry);
    struct stat about {};
    if (!file || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode))
      return std::optional<FileDescriptor>();
    return std::optional<FileDescriptor>(std::move(file));
  };
  if (!is_name(name)) return std::optional<FileDescriptor>();
  const std::size_t base = name.rfind('/') + 1;  // npos + 1 is 0
  PAWL_ASSIGN_OR_RETURN(auto file, in(name.substr(0, base), std::string(name.substr(base))));
  if (file) return file;
  return in(kHashed, sha256(name).to_hex());
}

Result<std::optional<ShelvedObject>> DirectoryObjectShelf::open(std::string_view name) {
  PAWL_ASSIGN_OR_RETURN(auto file, open_file(name));
  if (!file) return std::optional<ShelvedObject>();
  struct stat about {};
  if (::fstat(file->get(), &about) != 0)
    return error_of_errno(errno, "reading", path_ + "/" + std::string(name));
  return std::optional<ShelvedObject>(ShelvedObject{
      about_of(about), std::make_unique<FileBodyReader>(*std::move(file), std::string(name))});
}

Result<DirectoryObjectShelf::Names> DirectoryObjectShelf::hashed_names() {
  Names names;
  PAWL_ASSIGN_OR_RETURN(const auto folder, open_folder(kHashed));
  if (!folder) return names;
  std::vector<std::string> entries;
  PAWL_TRY(each_entry(*folder, path_ + "/" + std::string(kHashed), [&](std::string entry) {
    if (entry.ends_with(kNameFile)) entries.push_back(std::move(entry));
    return true;
  }));
  const std::lock_guard lock(mutex_);
  for (const std::string& entry : entries) {
    auto known = hashed_.find(entry);
    if (known == hashed_.end()) {
      PAWL_ASSIGN_OR_RETURN(auto name, read_file(folder->get(), entry, kNameBytesMax));
      if (!name || !is_name(*name)) continue;
      known = hashed_.emplace(entry, *std::move(name)).first;
    }
    // The name is written first: the object may not be there yet.
    const std::string object = entry.substr(0, entry.size() - kNameFile.size());
    struct stat about {};
    if (::fstatat(folder->get(), object.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(about.st_mode)) {
      names.push_back(known->second);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<DirectoryObjectShelf::WindowPtr> DirectoryObjectShelf::read_window(const std::string& folder,
                                                                          const std::string& from) {
  auto window = std::make_shared<Window>();
  window->folder = folder;
  window->from = from;
  window->whole = true;
  window->read = std::chrono::steady_clock::now();
  PAWL_ASSIGN_OR_RETURN(const auto opened, open_folder(folder));
  if (!opened) return WindowPtr(window);
  Names& entries = window->entries;
  const auto keep_least = [&] {
    if (entries.size() <= window_) return;
    std::nth_element(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(window_),
                     entries.end());
    entries.resize(window_);
    window->whole = false;
  };
  PAWL_TRY(each_entry(*opened, path_ + "/" + folder, [&](std::string entry) {
    if (entry < from || folder.size() + entry.size() > kNameBytesMax ||
        (folder.empty() && is_hidden(entry)) || !item::is_utf8(entry)) {
      return true;
    }
    entries.push_back(std::move(entry));
    if (entries.size() >= 2 * window_) keep_least();
    return true;
  }));
  keep_least();
  std::sort(entries.begin(), entries.end());
  const std::lock_guard lock(mutex_);
  windows_.push_front(window);
  if (windows_.size() > kWindowsKept) windows_.pop_back();
  return WindowPtr(window);
}

DirectoryObjectShelf::WindowPtr DirectoryObjectShelf::kept_window(std::string_view folder,
                                                                  std::string_view position) {
  const auto oldest = std::chrono::steady_clock::now() - kWindowKept;
  const std::lock_guard lock(mutex_);
  for (const WindowPtr& window : windows_) {
    if (window->read >= oldest && window->covers(folder, position)) return window;
  }
  return nullptr;
}

// The folders on the way to where it is, each with its next entries.
class DirectoryObjectShelf::Walk final : public NameWalk {
 public:
  Walk(DirectoryObjectShelf& shelf, bool goes_on) : shelf_(shelf), goes_on_(goes_on) {}

  Result<std::optional<std::string>> first(std::string_view from, const Fold& fold) override {
    if (!hashed_) {
      PAWL_ASSIGN_OR_RETURN(hashed_, shelf_.hashed_names());
    }
    std::erase_if(windows_, [from](const auto& window) { return !from.starts_with(window.first); });
    PAWL_ASSIGN_OR_RETURN(auto found, first_in("", from, fold));
    const auto hashed = std::lower_bound(hashed_->begin(), hashed_->end(), from);
    if (hashed == hashed_->end() || (found && *found <= *hashed)) return found;
    return std::optional<std::string>(folded(*hashed, from, fold));
  }

  Result<std::optional<ShelvedAbout>> about(std::string_view name) override {
    PAWL_ASSIGN_OR_RETURN(const auto file, shelf_.open_file(name));
    struct stat about {};
    if (!file || ::fstat(file->get(), &about) != 0) return std::optional<ShelvedAbout>();
    return std::optional<ShelvedAbout>(about_of(about));
  }

 private:
  static std::string folded(const std::string& name, std::string_view from, const Fold& fold) {
    for (std::size_t at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1)) {
      std::string folder = name.substr(0, at + 1);
      if (folder >= from && fold(folder)) return folder;
    }
    return name;
  }

  Result<WindowPtr> window(const std::string& folder, const std::string& position) {
    WindowPtr& known = windows_[folder];
    if (known && known->covers(folder, position)) return known;
    known = goes_on_ ? shelf_.kept_window(folder, position) : nullptr;
    if (!known) {
      PAWL_ASSIGN_OR_RETURN(known, shelf_.read_window(folder, position));
    }
    return known;
  }

  // The first that is in `folder`, which `from` is not behind.
  Result<std::optional<std::string>> first_in(const std::string& folder, std::string_view from,
                                              const Fold& fold) {
    const std::string_view rest =
        from.starts_with(folder) ? from.substr(folder.size()) : std::string_view();
    const std::size_t slash = rest.find('/');
    // Of what is within a folder that `from` leads into, the folder's entry stands before `rest`, and nothing else does.
    std::string position(slash == std::string_view::npos ? rest : rest.substr(0, slash + 1));
    for (;;) {
      PAWL_ASSIGN_OR_RETURN(const WindowPtr there, window(folder, position));
      const auto entry = std::lower_bound(there->entries.begin(), there->entries.end(), position);
      if (entry == there->entries.end()) {
        if (there->whole) return std::optional<std::string>();
        position = there->entries.back() + '\0';
        continue;
      }
      const std::string name = folder + *entry;
      position = *entry + '\0';
      if (!name.ends_with('/')) return std::optional<std::string>(name);
      if (name >= from && fold(name)) {
        PAWL_ASSIGN_OR_RETURN(const bool any, has_any(name));
        if (any) return std::optional<std::string>(name);
        continue;
      }
      PAWL_ASSIGN_OR_RETURN(auto found, first_in(name, from, fold));
      if (found) return found;
      windows_.erase(name);
    }
  }

  // Whether there is any object in a folder.
  Result<bool> has_any(const std::string& folder) {
    if (folder.size() > kNameBytesMax) return false;
    PAWL_ASSIGN_OR_RETURN(const auto opened, shelf_.open_folder(folder));
    bool any = false;
    Names folders;
    if (!opened) return false;
    PAWL_TRY(each_entry(*opened, shelf_.path_ + "/" + folder, [&](std::string entry) {
      any = !entry.ends_with('/');
      if (!any) folders.push_back(std::move(entry));
      return !any;
    }));
    for (auto next = folders.begin(); !any && next != folders.end(); ++next) {
      PAWL_ASSIGN_OR_RETURN(any, has_any(folder + *next));
    }
    return any;
  }

  DirectoryObjectShelf& shelf_;
  const bool goes_on_;
  std::map<std::string, WindowPtr> windows_;
  std::optional<Names> hashed_;
};

std::unique_ptr<NameWalk> DirectoryObjectShelf::walk(bool goes_on) {
  return std::make_unique<Walk>(*this, goes_on);
}

}  // namespace pawl
