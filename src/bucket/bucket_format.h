// How buckets, objects and multipart uploads are stored: docs/internals/buckets.md. They have an ordered store of their own,
// whose key spaces are named after what the tables keep in theirs; here each holds something else:
//
//   kBuckets  "format", and one record a bucket, by its name; of a supervised one with what it keeps
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

// Of the whole store: the newest that is read. It is written when the first bucket is supervised; until then a store has the one
// before, and an older Pawl reads it.
inline constexpr std::uint64_t kBucketFormat = 2;
inline constexpr std::uint64_t kFormatWithoutSupervision = 1;
inline constexpr std::size_t kInlineBytesMax = 2048;  // of a body that stands in its record
inline constexpr std::size_t kStoredBytesMax =
    64 * 1024;  // of one that stands in kBodies; beyond: a file
inline constexpr std::size_t kObjectKeyBytesMax = 1024;
inline constexpr std::size_t kUploadIdBytes = 16;
inline constexpr unsigned kPartNumberMax = 10'000;
// In a supervised bucket what begins with this is Pawl's: clients read it, and neither write nor delete it.
inline constexpr std::string_view kReservedPrefix = ".pawl/";
inline constexpr std::string_view kKeptPrefix = ".pawl/kept/";

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

// What an object was that is kept under a name of Pawl's, since its own was written again or deleted in a supervised bucket.
struct KeptFrom {
  std::string key;
  Instant at;            // when its place was taken
  bool deleted = false;  // and by nothing
  friend bool operator==(const KeptFrom&, const KeptFrom&) = default;
};

struct ObjectRecord {
  std::uint64_t bytes = 0;
  Instant modified;
  std::string etag;         // without quotes
  std::uint32_t parts = 0;  // 0: not uploaded in parts
  StoredHeaders headers;    // content-type and its kin, x-amz-meta-…
  Checksum checksum;
  BodyPlace place;
  // The number of the kept object whose place this content took; 0: it was put where nothing stood, or nothing was kept.
  std::uint64_t took_place_of = 0;
  std::optional<KeptFrom> kept;  // below kKeptPrefix, and nowhere else
};

// What a supervised bucket keeps beside its objects. It is never removed, so the numbers are dense from 1.
struct Supervision {
  std::uint64_t kept_objects = 0;
  std::uint64_t kept_bytes = 0;
  friend bool operator==(const Supervision&, const Supervision&) = default;
};

struct BucketRecord {
  Instant created;
  std::string region;
  std::optional<Supervision> supervised;
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

inline constexpr std::string_view kFormatKey = "format";  // in kBuckets: varint
std::string bucket_key(std::string_view bucket);          // likewise
std::string object_key(std::string_view bucket, std::string_view key);
bool is_reserved(std::string_view key);
std::string kept_key(std::uint64_t number);        // ".pawl/kept/" and 16 digits
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
