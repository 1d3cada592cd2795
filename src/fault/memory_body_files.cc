#include "fault/memory_body_files.h"

namespace pawl {
namespace {

Error not_found(BodyNumber number) {
  return {ErrorCode::kNotFound, "opening body " + std::to_string(number) + ": it is not there", {}};
}

}  // namespace

class MemoryBodyFiles::Writer final : public BodyWriter {
 public:
  Writer(MemoryBodyFiles& owner, std::shared_ptr<File> file)
      : owner_(owner), file_(std::move(file)) {}

  Status append(std::string_view bytes) override {
    const std::lock_guard lock(owner_.mutex_);
    file_->bytes.append(bytes);
    return ok();
  }
  Status seal() override {
    const std::lock_guard lock(owner_.mutex_);
    if (owner_.fail_seals_)
      return Error{ErrorCode::kUnavailable, "syncing a body: told to fail", {}};
    file_->sealed = true;
    return ok();
  }

 private:
  MemoryBodyFiles& owner_;
  std::shared_ptr<File> file_;
};

class MemoryBodyFiles::Reader final : public BodyReader {
 public:
  Reader(MemoryBodyFiles& owner, std::shared_ptr<File> file)
      : owner_(owner), file_(std::move(file)) {}

  Result<std::string> read(std::uint64_t offset, std::size_t size) override {
    const std::lock_guard lock(owner_.mutex_);
    if (offset + size > file_->bytes.size())
      return Error{ErrorCode::kCorrupt, "reading a body: it ends before", {}};
    return file_->bytes.substr(offset, size);
  }

 private:
  MemoryBodyFiles& owner_;
  std::shared_ptr<File> file_;
};

Result<std::unique_ptr<BodyWriter>> MemoryBodyFiles::create(BodyNumber number) {
  const std::lock_guard lock(mutex_);
  const auto [at, made] = files_.emplace(number, std::make_shared<File>());
  if (!made)
    return Error{
        ErrorCode::kExists, "creating body " + std::to_string(number) + ": it is there", {}};
  return std::unique_ptr<BodyWriter>(std::make_unique<Writer>(*this, at->second));
}

Result<std::unique_ptr<BodyReader>> MemoryBodyFiles::open(BodyNumber number) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(number);
  if (found == files_.end()) return not_found(number);
  return std::unique_ptr<BodyReader>(std::make_unique<Reader>(*this, found->second));
}

Status MemoryBodyFiles::link(BodyNumber number, BodyNumber copy) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(number);
  if (found == files_.end()) return not_found(number);
  if (!files_.emplace(copy, found->second).second)
    return Error{ErrorCode::kExists, "linking body " + std::to_string(copy) + ": it is there", {}};
  return ok();
}

Status MemoryBodyFiles::remove(BodyNumber number) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(number);
  if (found == files_.end()) return ok();
  removed_.insert_or_assign(number, found->second);
  files_.erase(found);
  return ok();
}

Result<std::vector<BodyNumber>> MemoryBodyFiles::list() {
  const std::lock_guard lock(mutex_);
  std::vector<BodyNumber> numbers;
  for (const auto& [number, file] : files_) numbers.push_back(number);
  return numbers;
}

void MemoryBodyFiles::crash(Random& random) {
  const std::lock_guard lock(mutex_);
  for (auto& [number, file] : removed_) {
    if (random.next() % 2 == 0) files_.emplace(number, file);
  }
  removed_.clear();
  for (auto at = files_.begin(); at != files_.end();) {
    File& file = *at->second;
    const std::uint64_t fate = file.sealed ? 2 : random.next() % 3;
    if (fate == 1) file.bytes.resize(file.bytes.size() / 2);
    at = fate == 0 ? files_.erase(at) : std::next(at);
  }
}

}  // namespace pawl
