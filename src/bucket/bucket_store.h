// The buckets of a data directory, opened: what can be read of them, and their one writer.
//
// Thread use: open() once; everything else from any thread. Reads see synced state only. Those that say so may wait for a disk.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bucket/bucket_committer.h"
#include "bucket/bucket_listing.h"

namespace pawl::bucket {

// One piece of a body: bytes that are here, or a file that has them.
struct BodyPiece {
  Segment segment;
  std::string bytes;  // of one that is not a file: all of it, at most kStoredBytesMax
};
// The files among them: what a guard is narrowed to.
std::vector<BodyNumber> files_of(const std::vector<BodyPiece>& pieces);

class BucketStore {
 public:
  // Makes what is absent, and removes the files that no record names: what a crash left of bodies under way.
  // Errors: the store's; kCorrupt; kInvalid for a newer format.
  static Result<std::unique_ptr<BucketStore>> open(const BucketPorts& ports,
                                                   BucketCommitterOptions options);

  BucketCommitter& committer() { return committer_; }
  KeyValueStore& records() { return ports_.store; }
  BodyFiles& files() { return ports_.files; }
  // For a body, or a list of segments, that is about to be written. Never given twice.
  BodyNumber new_number() { return next_number_.fetch_add(1); }
  // A guard for a read: take it, then look up what is to be read.
  std::shared_ptr<ReadWatch::Guard> guard() { return committer_.watch()->guard(); }

  Result<std::optional<BucketRecord>> bucket(std::string_view name);
  // All, by name.
  Result<std::vector<std::pair<std::string, BucketRecord>>> buckets();
  Result<std::optional<ObjectRecord>> object(std::string_view name, std::string_view key);
  Result<std::optional<UploadRecord>> upload(std::string_view name, std::string_view key,
                                             std::string_view id);
  // What the body of an object that was looked up consists of, in order. A guard keeps its files from then on; what is stored is
  // in it, so that nobody has to look it up again. Errors: kNotFound if the object has been replaced since: look it up again;
  // kCorrupt if it has not, and yet its body is gone.
  Result<std::vector<BodyPiece>> body(std::string_view name, std::string_view key,
                                      const ObjectRecord& record);
  // The object with its body, of one moment; nothing if there is no such object. `guard` was taken before.
  struct Whole {
    ObjectRecord record;
    std::vector<BodyPiece> pieces;
  };
  Result<std::optional<Whole>> object_with_body(std::string_view name, std::string_view key);

 private:
  BucketStore(const BucketPorts& ports, BucketCommitterOptions options)
      : ports_(ports), committer_(ports, options) {}
  Status check_format();
  Result<std::optional<std::vector<BodyPiece>>> pieces_of(const ObjectRecord& record);
  Status find_next_number(const std::vector<BodyNumber>& files);
  Status remove_unnamed(const std::vector<BodyNumber>& files);

  BucketPorts ports_;
  BucketCommitter committer_;
  std::atomic<BodyNumber> next_number_{1};
};

}  // namespace pawl::bucket
