// What can be asked of the buckets, and what comes of it. Commands are made by src/wire, decided by bucket_round.h in the order
// in which they came, and answered after the sync of their batch.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bucket/bucket_format.h"

namespace pawl::bucket {

// What must be true of the object that is there, for a write to be done. Decided with the write, in one order for all: of two
// writes that want a name to be free exactly one is done.
struct Conditions {
  bool absent = false;                  // If-None-Match: *
  std::optional<std::string> has_etag;  // If-Match; "*": any
};

struct CreateBucket {
  std::string bucket;
  std::string region;
  bool by_pawl = false;  // for itself
};
struct DeleteBucket {
  std::string bucket;
};
// From now on what is replaced or deleted in the bucket is kept, below kKeptPrefix, and what begins with kReservedPrefix is
// Pawl's own; for ever. What is done already is fine.
struct Supervise {
  std::string bucket;
};
struct PutObject {
  std::string bucket, key;
  ObjectRecord record;  // `modified` is the round's to set
  // Of a copy in segments: what kBodies is to hold of those that are stored.
  std::vector<std::pair<std::uint64_t, std::string>> stored_segments;
  Conditions conditions;
  bool by_pawl = false;  // it may be below kReservedPrefix, but for kKeptPrefix
};
// All of them, or none: the first that is refused refuses the others. Their keys differ.
struct PutTogether {
  std::vector<PutObject> objects;
};
struct DeleteObjects {
  struct One {
    std::string key;
    std::optional<std::string> has_etag;
  };
  std::string bucket;
  std::vector<One> objects;
};
struct CreateUpload {
  std::string bucket, key, id;
  UploadRecord record;
};
struct PutPart {
  std::string bucket, key, id;
  unsigned number = 0;
  PartRecord record;
};
struct CompleteUpload {
  struct Part {
    unsigned number = 0;
    std::string etag;
  };
  std::string bucket, key, id;
  std::vector<Part> parts;  // ascending
  std::string etag;         // of the whole
  Checksum checksum;
  std::uint64_t list_number = 0;  // a new number, for the list of segments
  Conditions conditions;
};
struct AbortUpload {
  std::string bucket, key, id;
};

using Action = std::variant<CreateBucket, DeleteBucket, Supervise, PutObject, PutTogether,
                            DeleteObjects, CreateUpload, PutPart, CompleteUpload, AbortUpload>;

enum class Refusal : std::uint8_t {
  kNone,  // done, and durable
  kNoSuchBucket,
  kBucketExists,
  kBucketNotEmpty,    // it has objects
  kBucketHasUploads,  // it has uploads that are neither completed nor aborted
  kTooManyBuckets,
  kSupervised,  // a bucket that is supervised is not deleted
  kReserved,  // the name is Pawl's: in a supervised bucket, or of one that was to be supervised and has such objects
  kNoSuchKey,  // a condition needs an object, and there is none
  kConditionFailed,
  kNoSuchUpload,
  kInvalidPart,   // named, and not there with that ETag
  kPartTooSmall,  // not the last, and below 5 MiB
  kNoRoom,        // not done: the disk is nearly full
  kBusy,          // not done: too much waits
  kStopping,      // not done
  kNotDone,       // not done: the store refused; `why`
};

struct Outcome {
  Refusal refusal = Refusal::kNone;
  std::string why;            // for people
  Instant modified;           // of what was stored
  std::uint64_t bytes = 0;    // of a completed upload
  std::string etag;           // of a completed upload
  unsigned part = 0;          // which part was refused
  std::vector<Refusal> each;  // DeleteObjects: one a key
};

struct BucketCommand {
  Action action;
  // Called once: on the commit thread after the sync, or on the caller's, in submit(), where it is refused at once. Must not block.
  std::function<void(Outcome)> done;
};

// The bytes that a command keeps in memory while it waits.
std::size_t bytes_of(const Action& action);
// The files that were written for a command; to be removed if it is refused.
std::vector<std::uint64_t> new_files_of(const Action& action);

}  // namespace pawl::bucket
