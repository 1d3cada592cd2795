#include "adapter/directory_body_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "adapter/directory_listing.h"
#include "adapter/file_body_reader.h"
#include "base/hex.h"

namespace pawl {
namespace {

constexpr std::size_t kNameDigits = 16;

std::string name_of(BodyNumber number) { return fmt::format("{:016x}", number); }

class FileWriter final : public BodyWriter {
 public:
  FileWriter(FileDescriptor file, int folder, std::string name)
      : file_(std::move(file)), folder_(folder), name_(std::move(name)) {}

  Status append(std::string_view bytes) override { return write_all(file_.get(), bytes, name_); }
  Status seal() override {
    PAWL_TRY(sync_file(file_.get(), name_));
    return sync_file(folder_, "the folder of " + name_);
  }

 private:
  FileDescriptor file_;
  int folder_;
  std::string name_;
};

}  // namespace

Result<std::unique_ptr<DirectoryBodyFiles>> DirectoryBodyFiles::open(const std::string& path) {
  std::unique_ptr<DirectoryBodyFiles> files(new DirectoryBodyFiles(path));
  PAWL_TRY(create_directories(path, 0700));
  PAWL_ASSIGN_OR_RETURN(const FileDescriptor top, open_directory(path));
  for (std::size_t i = 0; i < kFolders; ++i) {
    const std::string name = fmt::format("{:02x}", i);
    if (::mkdirat(top.get(), name.c_str(), 0700) != 0 && errno != EEXIST)
      return error_of_errno(errno, "creating directory", fmt::format("{}/{}", path, name));
    files->folders_[i] = FileDescriptor(
        ::openat(top.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!files->folders_[i])
      return error_of_errno(errno, "opening directory", fmt::format("{}/{}", path, name));
  }
  PAWL_TRY(sync_file(top.get(), path));
  return files;
}

Result<std::unique_ptr<BodyWriter>> DirectoryBodyFiles::create(BodyNumber number) {
  const std::string name = name_of(number);
  FileDescriptor file(::openat(folder(number), name.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return error_of_errno(errno, "creating body", name);
  return std::unique_ptr<BodyWriter>(
      std::make_unique<FileWriter>(std::move(file), folder(number), name));
}

Result<std::unique_ptr<BodyReader>> DirectoryBodyFiles::open(BodyNumber number) {
  const std::string name = name_of(number);
  FileDescriptor file(::openat(folder(number), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return error_of_errno(errno, "opening body", name);
  return std::unique_ptr<BodyReader>(std::make_unique<FileBodyReader>(std::move(file), name));
}

Status DirectoryBodyFiles::link(BodyNumber number, BodyNumber copy) {
  const std::string from = name_of(number);
  const std::string to = name_of(copy);
  if (::linkat(folder(number), from.c_str(), folder(copy), to.c_str(), 0) != 0)
    return error_of_errno(errno, "linking body", from);
  return sync_file(folder(copy), "the folder of " + to);
}

Status DirectoryBodyFiles::remove(BodyNumber number) {
  const std::string name = name_of(number);
  if (::unlinkat(folder(number), name.c_str(), 0) != 0 && errno != ENOENT)
    return error_of_errno(errno, "removing body", name);
  return ok();
}

Result<std::vector<BodyNumber>> DirectoryBodyFiles::list() {
  std::vector<BodyNumber> numbers;
  for (std::size_t i = 0; i < kFolders; ++i) {
    PAWL_ASSIGN_OR_RETURN(const auto names,
                          list_directory(folders_[i].get(), fmt::format("{}/{:02x}", path_, i)));
    for (const std::string& name : names) {
      // A stranger's file is left alone.
      if (const auto number = parse_hex_number(name, kNameDigits)) numbers.push_back(*number);
    }
  }
  return numbers;
}

}  // namespace pawl
