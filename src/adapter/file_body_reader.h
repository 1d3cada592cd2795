// One body that is a file, open.
#pragma once

#include <string>

#include "adapter/posix_file.h"
#include "port/body_files.h"

namespace pawl {

class FileBodyReader final : public BodyReader {
 public:
  // `name` is for messages.
  FileBodyReader(FileDescriptor file, std::string name)
      : file_(std::move(file)), name_(std::move(name)) {}
  Result<std::string> read(std::uint64_t offset, std::size_t size) override;

 private:
  FileDescriptor file_;
  std::string name_;
};

}  // namespace pawl
