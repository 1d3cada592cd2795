// Files of large bodies in memory, for tests: contract and conformance suite are those of port/body_files.h.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "port/body_files.h"
#include "port/random.h"

namespace pawl {

// Thread-safe.
class MemoryBodyFiles final : public BodyFiles {
 public:
  Result<std::unique_ptr<BodyWriter>> create(BodyNumber number) override;
  Result<std::unique_ptr<BodyReader>> open(BodyNumber number) override;
  Status link(BodyNumber number, BodyNumber copy) override;
  Status remove(BodyNumber number) override;
  Result<std::vector<BodyNumber>> list() override;

  // The power goes: of each body that is not sealed `random` says whether nothing, a part, or all of it is left; of each
  // removal, whether it is undone. Writers and readers must be gone.
  void crash(Random& random);
  // From now on seal() fails, and nothing becomes durable.
  void fail_seals(bool fail) { fail_seals_ = fail; }

 private:
  class Writer;
  class Reader;
  struct File {
    std::string bytes;
    bool sealed = false;
  };

  std::mutex mutex_;
  std::map<BodyNumber, std::shared_ptr<File>> files_;
  std::map<BodyNumber, std::shared_ptr<File>> removed_;  // since the last crash
  bool fail_seals_ = false;
};

}  // namespace pawl
