// Large bodies as files of a directory: <two hex digits>/<16 hex digits>, 256 folders by the number's lowest byte.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "adapter/posix_file.h"
#include "port/body_files.h"

namespace pawl {

class DirectoryBodyFiles final : public BodyFiles {
 public:
  // Makes what is absent. The caller holds the lock of the data directory that it lies in.
  static Result<std::unique_ptr<DirectoryBodyFiles>> open(const std::string& path);

  Result<std::unique_ptr<BodyWriter>> create(BodyNumber number) override;
  Result<std::unique_ptr<BodyReader>> open(BodyNumber number) override;
  Status link(BodyNumber number, BodyNumber copy) override;
  Status remove(BodyNumber number) override;
  Result<std::vector<BodyNumber>> list() override;

 private:
  static constexpr std::size_t kFolders = 256;

  explicit DirectoryBodyFiles(std::string path) : path_(std::move(path)) {}
  int folder(BodyNumber number) const { return folders_[number % kFolders].get(); }

  std::string path_;
  std::array<FileDescriptor, kFolders> folders_;
};

}  // namespace pawl
