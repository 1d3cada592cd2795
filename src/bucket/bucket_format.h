// How buckets, objects and multipart uploads are stored: docs/internals/buckets.md. They have an ordered store of their own,
// whose key spaces are named after what the tables keep in theirs; here each holds something else:
//
//   kBuckets  "format", and one record a bucket, by its name
//   kObjects  bucket \0 key -> ObjectRecord; a small body stands in it
//   kBodies   number (8)    -> the bytes of a middling body, or the list of the segments of one that was uploaded in parts
//   kFiles    number (8)    -> nothing: a record needs the file of that number; files without one are removed at the start
//   kUploads  'u' bucket \0 key \0 id (16) -> UploadRecord;  'p' id (16) part (2) -> PartRecord
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "port/key_value_store.h"

namespace pawl::bucket {

inline constexpr KeySpace kBuckets = KeySpace::kCatalog;
inline constexpr KeySpace kObjects = KeySpace::kItems;
inline constexpr KeySpace kFiles = KeySpace::kDeletedVersions;
inline constexpr KeySpace kBodies = KeySpace::kChanges;
inline constexpr KeySpace kUploads = KeySpace::kAnswers;

inline constexpr std::uint64_t kBucketFormat = 1;
inline constexpr std::size_t kInlineBytesMax = 2048;  // of a body that stands in its record
inline constexpr std::size_t kStoredBytesMax =
    64 * 1024;  // of one that stands in kBodies; beyond: a file
inline constexpr std::size_t kObjectKeyBytesMax = 1024;
inline constexpr std::size_t kUploadIdBytes = 16;
inline constexpr unsigned kPartNumberMax = 10'000;

// Where the bytes of a body are.
enum class BodyKind : std::uint8_t {
  kInline = 0,    // in the record: `bytes`
  kStored = 1,    // in kBodies, under `number`
  kFile = 2,      // in the file `number`
  kSegments = 3,  // in several; kBodies has the list under `number`
};
struct BodyPlace {
  BodyKind kind = BodyKind::kInline;
  std::uint64_t number = 0;
  // kInline: the body. In a command that stores it also what kBodies is to hold (kStored, kSegments); never in a record then.
  std::string bytes;
};

// One piece of a body in segments: stored, or a file.
struct Segment {
  BodyKind kind = BodyKind::kStored;
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
};

// What a client said of the bytes, and the server found true. `algorithm` as in the header's name ("crc32"); empty: none.
struct Checksum {
  std::string algorithm;
  std::string value;       // base64; of one in parts "…-N" unless it is of the whole
  bool composite = false;  // of the parts' checksums, not of the bytes
  friend bool operator==(const Checksum&, const Checksum&) = default;
};

using StoredHeaders = std::vector<std::pair<std::string, std::string>>;  // lower-case name, value

struct ObjectRecord {
  std::uint64_t bytes = 0;
  Instant modified;
  std::string etag;         // without quotes
  std::uint32_t parts = 0;  // 0: not uploaded in parts
  StoredHeaders headers;    // content-type and its kin, x-amz-meta-…
  Checksum checksum;
  BodyPlace place;
};

struct BucketRecord {
  Instant created;
  std::string region;
};

struct UploadRecord {
  Instant initiated;
  StoredHeaders headers;
  Checksum checksum;  // the algorithm that was declared, and whether composite; no value
};

struct PartRecord {
  std::uint64_t bytes = 0;
  Instant modified;
  std::string etag;
  Checksum checksum;
  BodyPlace place;  // kStored or kFile
};

std::string encode(const ObjectRecord& record);
std::string encode(const BucketRecord& record);
std::string encode(const UploadRecord& record);
std::string encode(const PartRecord& record);
std::string encode(const std::vector<Segment>& segments);
// Errors: kCorrupt, naming `what`.
Result<ObjectRecord> decode_object(std::string_view bytes, std::string_view what);
Result<BucketRecord> decode_bucket(std::string_view bytes, std::string_view what);
Result<UploadRecord> decode_upload(std::string_view bytes, std::string_view what);
Result<PartRecord> decode_part(std::string_view bytes, std::string_view what);
Result<std::vector<Segment>> decode_segments(std::string_view bytes, std::string_view what);

std::string bucket_key(std::string_view bucket);  // in kBuckets
std::string object_key(std::string_view bucket, std::string_view key);
std::string objects_end(std::string_view bucket);  // behind every object of the bucket
std::string number_key(std::uint64_t number);
std::uint64_t number_of(std::string_view key);  // 0 if it is none
std::string upload_key(std::string_view bucket, std::string_view key, std::string_view id);
std::string uploads_begin(std::string_view bucket);
std::string uploads_end(std::string_view bucket);
std::string part_key(std::string_view id, unsigned number);
unsigned part_number_of(std::string_view part_key);

// The least text that is greater than every text that begins with `prefix`; empty if there is none.
std::string behind_prefix(std::string_view prefix);

}  // namespace pawl::bucket
