#include "adapter/zip_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <locale.h>  // NOLINT(modernize-deprecated-headers): newlocale is POSIX's
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "adapter/posix_file.h"

namespace pawl {
namespace {

constexpr std::size_t kEmptyZip = 22;
constexpr std::uint64_t kBlock = 4096;  // of a file system, about

Error invalid(std::string message) { return {ErrorCode::kInvalid, std::move(message), ""}; }

struct Closing {
  void operator()(::archive* reader) const { ::archive_read_free(reader); }
};
using Reader = std::unique_ptr<::archive, Closing>;

// libarchive turns names into the locale's characters. In the locale "C", which a server has, it can't: names beyond ASCII would be
// gone. So this thread has one of UTF-8 while it unpacks; every Debian has it (package libc-bin).
class Utf8Names {
 public:
  Utf8Names() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ != nullptr) before_ = ::uselocale(locale_);
  }
  ~Utf8Names() {
    if (locale_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(locale_);
  }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  ::locale_t locale_;
  ::locale_t before_ = nullptr;
};

Error unreadable(::archive* reader) {
  const char* const why = ::archive_error_string(reader);
  return invalid(
      fmt::format("could not unzip uploaded file: {}", why == nullptr ? "it is no zip file" : why));
}

// Opens, or makes, the folder of these parts, one by one and never through a link.
Result<FileDescriptor> folder_of(int root, const std::vector<std::string>& parts,
                                 std::size_t count) {
  FileDescriptor at(::openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!at) return error_of_errno(errno, "opening", "a function's folder");
  for (std::size_t i = 0; i < count; ++i) {
    if (::mkdirat(at.get(), parts[i].c_str(), 0755) != 0 && errno != EEXIST) {
      return error_of_errno(errno, "making", parts[i]);
    }
    FileDescriptor next(
        ::openat(at.get(), parts[i].c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next && errno == ENOTDIR) {
      return invalid(fmt::format("the zip file has {} as a file and as a folder", parts[i]));
    }
    if (!next) return error_of_errno(errno, "opening", parts[i]);
    if (::fchmod(next.get(), 0755) != 0) return error_of_errno(errno, "opening", parts[i]);
    at = std::move(next);
  }
  return at;
}

std::uint64_t in_blocks(std::uint64_t bytes) { return (bytes + kBlock - 1) / kBlock * kBlock; }

class Unpacking {
 public:
  Unpacking(::archive* reader, int root, const ZipRoom& room)
      : reader_(reader), root_(root), room_(room) {}

  Result<std::uint64_t> run() {
    for (;;) {
      ::archive_entry* entry = nullptr;
      const int read = ::archive_read_next_header(reader_, &entry);
      if (read == ARCHIVE_EOF) break;
      if (read < ARCHIVE_WARN) return unreadable(reader_);
      if (++entries_ > kZipEntriesMax) return invalid("the zip file has too many entries");
      PAWL_TRY(use(0));
      PAWL_TRY(unpack(entry));
    }
    if (files_ == 0) return invalid("the zip file is empty");
    return used_;
  }

 private:
  Status unpack(::archive_entry* entry) {
    const char* name = ::archive_entry_pathname_utf8(entry);
    if (name == nullptr) name = ::archive_entry_pathname(entry);
    if (name == nullptr) return invalid("the zip file has an entry without a name");
    PAWL_ASSIGN_OR_RETURN(auto parts, safe_path(name));
    const auto type = ::archive_entry_filetype(entry);
    const bool is_link = ::archive_entry_hardlink(entry) != nullptr || type == AE_IFLNK;
    if (is_link || (type != AE_IFREG && type != AE_IFDIR)) {
      return invalid(fmt::format("the zip file has a link or a device: {}", name));
    }
    if (::archive_entry_is_encrypted(entry) != 0) {
      return invalid(fmt::format("the zip file is encrypted: {}", name));
    }
    if (type == AE_IFDIR) {
      PAWL_TRY(use(kBlock));
      PAWL_TRY(enter(parts));
      return ok();
    }
    if (parts.empty()) return invalid("the zip file has a file without a name");
    const std::string file = parts.back();
    parts.pop_back();
    PAWL_TRY(enter(parts));
    const bool executable = (::archive_entry_perm(entry) & 0111) != 0;
    ++files_;
    return write_file(at_.get(), file, executable ? 0755 : 0644);
  }

  // Files of a folder mostly stand together in a zip file: the way to it is not gone again for each.
  Status enter(const std::vector<std::string>& parts) {
    if (at_ && parts == at_parts_) return ok();
    PAWL_ASSIGN_OR_RETURN(at_, folder_of(root_, parts, parts.size()));
    at_parts_ = parts;
    return ok();
  }

  Status use(std::uint64_t bytes) {
    used_ += bytes;
    if (used_ <= room_.bytes && entries_ <= room_.inodes) return ok();
    return Error{ErrorCode::kExhausted, "unpacking: no room is left", "free some disk space"};
  }

  Status write_file(int folder, const std::string& name, ::mode_t mode) {
    const FileDescriptor file(
        ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file && errno == EEXIST) return invalid(fmt::format("the zip file has {} twice", name));
    if (!file) return error_of_errno(errno, "unpacking", name);
    std::array<char, 64 * 1024> piece;  // NOLINT: filled by libarchive
    std::uint64_t written = 0;
    for (;;) {
      const auto size = ::archive_read_data(reader_, piece.data(), piece.size());
      if (size == 0) break;
      if (size < 0) return unreadable(reader_);
      bytes_ += static_cast<std::uint64_t>(size);
      if (bytes_ > kUnzippedBytesMax) {
        return invalid(
            fmt::format("unzipped size must be smaller than {} bytes", kUnzippedBytesMax));
      }
      const std::uint64_t before = in_blocks(written);
      written += static_cast<std::uint64_t>(size);
      PAWL_TRY(use(in_blocks(written) - before));
      PAWL_TRY(write_all(file.get(), {piece.data(), static_cast<std::size_t>(size)}, name));
    }
    if (::fchmod(file.get(), mode) != 0) return error_of_errno(errno, "unpacking", name);
    return ok();
  }

  ::archive* reader_;
  int root_;
  ZipRoom room_;
  FileDescriptor at_;  // the folder of the last entry
  std::vector<std::string> at_parts_;
  std::uint64_t used_ = 0;
  std::size_t entries_ = 0;
  std::size_t files_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<std::vector<std::string>> safe_path(std::string_view name) {
  if (name.size() > kZipNameMax) return invalid("the zip file has a name that is too long");
  if (name.starts_with('/') || name.find('\\') != std::string_view::npos) {
    return invalid(fmt::format("the zip file has a name that leads elsewhere: {}", name));
  }
  std::vector<std::string> parts;
  while (!name.empty()) {
    const auto slash = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, slash);
    name.remove_prefix(std::min(slash + 1, name.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") return invalid("the zip file has a name that leads elsewhere: it has ..");
    if (part.size() > 255) return invalid("the zip file has a name that is too long");
    parts.emplace_back(part);
    if (parts.size() > kZipDepthMax) return invalid("the zip file has folders too deep");
  }
  return parts;
}

Result<std::uint64_t> unpack_zip(std::string_view zip, int folder, const ZipRoom& room) {
  // Its end alone (APPNOTE.TXT, section 4.3.16), which libarchive takes for no zip file at all.
  if (zip.size() == kEmptyZip && zip.starts_with("PK\x05\x06")) {
    return invalid("the zip file is empty");
  }
  const Utf8Names names;
  const Reader reader(::archive_read_new());
  if (!reader) return Error{ErrorCode::kUnavailable, "unpacking: out of memory", ""};
  // From the directory at its end, as everybody reads zip files; what stands between entries is not looked at.
  ::archive_read_support_format_zip_seekable(reader.get());
  if (::archive_read_open_memory(reader.get(), zip.data(), zip.size()) != ARCHIVE_OK) {
    return unreadable(reader.get());
  }
  return Unpacking(reader.get(), folder, room).run();
}

}  // namespace pawl
