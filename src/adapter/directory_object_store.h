// Objects as files of an archive directory. See port/object_store.h for the contract and
// docs/internals/archive-format.md for the layout.
//
// A batch, in the order that makes it durable:
//   1. each body goes to a file of its own that has no place yet (unplaced_file.h), on two threads where there are many;
//   2. one syncfs: the bodies are on disk before any name points to them;
//   3. each file gets its name, which must be free;
//   4. the directories that got an entry, or were made, are synced;
//   5. only then the results.
// Measured (ext4, 400-byte bodies): a syncfs costs as much as the fsync of one file, so it is used
// for every batch size, also for one.
//
// After a failure of 2 nothing is visible, so those puts are refused. After a failure of 4 names
// are visible whose durability is unknown. They stay in doubt, and are never answered
// kAlreadyEqual, until set_aside() has moved them away: what a cache says is equal may never have
// reached the disk, and an fsync that failed once proves nothing when it is repeated.
//
// What survives a crash: every object reported kStored or kAlreadyEqual. Of others the name is
// absent, or the object whole.
#pragma once

#include <memory>
#include <set>

#include "adapter/archive_directory.h"
#include "adapter/batch_directories.h"
#include "port/object_store.h"

namespace pawl {

struct DirectoryStoreOptions {
  bool nameless = true;  // where the file system can; tests turn it off
};

// The awaitables complete without suspending: they block the calling thread, which is the
// archiver's own. One call at a time; free_bytes() from any thread.
class DirectoryObjectStore final : public ObjectStore {
 public:
  // The archive must outlive it.
  static Result<std::unique_ptr<DirectoryObjectStore>> open(
      const ArchiveDirectory& archive, DurabilityCalls& calls = DurabilityCalls::system(),
      DirectoryStoreOptions options = {});

  Awaitable<std::vector<PutResult>> put_if_absent(std::span<const PutRequest> requests) override;
  Awaitable<Result<std::optional<std::string>>> get(std::string_view name,
                                                    std::size_t size_max) override;
  Awaitable<Status> set_aside(std::span<const std::string> names) override;
  Result<std::optional<std::uint64_t>> free_bytes() override;

 private:
  struct Batch;
  struct Put;

  DirectoryObjectStore(const ArchiveDirectory& archive, DurabilityCalls& calls)
      : archive_(archive), calls_(calls) {}

  std::vector<PutResult> put_batch(std::span<const PutRequest> requests);
  Result<std::optional<std::string>> read_object(std::string_view name, std::size_t size_max);
  Status move_aside(std::span<const std::string> names);
  std::size_t nameless_here();
  bool write_temporaries(Batch& batch);  // whether there is any
  void write_temporary(int tmp, std::size_t place_in_batch, std::uint64_t number, Put& put) const;
  void place(Batch& batch, Put& put);
  void place_hashed(Batch& batch);
  void compare(Put& put, int dir, const std::string& entry);
  void finish(Batch& batch);
  bool is_hashed(const std::string& hashed_name) const;

  const ArchiveDirectory& archive_;
  DurabilityCalls& calls_;
  SeenDirectories seen_;
  bool hashes_in_use_ = false;  // .pawl/hashed holds something, so look there too
  std::uint64_t temporaries_ = 0;
  std::size_t nameless_max_ = 0;                 // of a batch; what is more gets names in .pawl/tmp
  std::set<std::string, std::less<>> in_doubt_;  // visible, of unknown durability, until set aside
};

}  // namespace pawl
