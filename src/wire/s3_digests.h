// What S3 computes of an object's bytes: the MD5 of its ETag, and the checksum that a client chose.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucket/bucket_format.h"
#include "wire/s3_error.h"

namespace pawl::wire {

// The algorithms, as the headers name them: x-amz-checksum-crc32, …
inline constexpr std::string_view kChecksumNames[] = {"crc32", "crc32c", "crc64nvme", "sha1",
                                                      "sha256"};
// "CRC32" -> "crc32"; empty if there is no such.
std::string_view checksum_named(std::string_view algorithm);
// "crc32" -> "CRC32"
std::string checksum_in_capitals(std::string_view name);

// MD5 and at most one checksum more, piece by piece. One thread at a time.
class BodyDigests {
 public:
  // `checksum` is one of kChecksumNames, or empty. `sha256`: whether the bytes' SHA-256 is wanted besides.
  BodyDigests(std::string_view checksum, bool sha256);
  ~BodyDigests();
  BodyDigests(BodyDigests&&) noexcept;
  BodyDigests& operator=(BodyDigests&&) = delete;

  void update(std::string_view bytes);
  struct Values {
    std::string md5;       // 16 bytes
    std::string checksum;  // base64; empty without one
    std::string sha256;    // hex; empty if not wanted
  };
  Values finish();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The ETag of an object in parts: the MD5 of the parts' MD5s, and how many. Nothing if an ETag is no MD5.
std::optional<std::string> etag_of_parts(const std::vector<std::string>& etags);

struct PartChecksum {
  std::string value;  // base64
  std::uint64_t bytes = 0;
};
// The checksum of the whole, of those of its parts. Errors: InvalidRequest for one that can't be had.
S3Result<bucket::Checksum> checksum_of_parts(const bucket::Checksum& declared,
                                             const std::vector<PartChecksum>& parts);

}  // namespace pawl::wire
