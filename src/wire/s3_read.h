// What a read of an object depends on: conditions and a range; and the bytes, piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucket/bucket_store.h"
#include "wire/s3_service.h"

namespace pawl::wire {

// The conditions of a GET, a HEAD, or (under other names) of a copy's source.
struct ReadConditions {
  std::string match, none_match, modified_since, unmodified_since;  // as sent; empty: none
};
ReadConditions read_conditions_of(const HttpRequest& request, std::string_view prefix);

enum class ReadVerdict : std::uint8_t { kRead, kNotModified, kFailed };
// As RFC 9110, section 13.2.2, orders them. A date that can't be read is passed over.
ReadVerdict verdict_of(const ReadConditions& conditions, std::string_view etag, Instant modified);

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;
};
// Of "bytes=…" with one range; nothing: the whole (no header, another unit, or several ranges, as the service has it).
// Errors: InvalidRange.
S3Result<std::optional<ByteRange>> range_of(std::string_view header, std::uint64_t size);

// The bytes of a body that is not in its record. Not thread-safe; keeps what it reads from being removed.
class S3BodySource final : public BodySource, public std::enable_shared_from_this<S3BodySource> {
 public:
  S3BodySource(bucket::BucketStore& store, std::shared_ptr<bucket::ReadWatch::Guard> guard,
               std::vector<bucket::Segment> segments, ByteRange range, RunElsewhere run_elsewhere);

  void read(std::function<void(std::optional<std::string>)> done) override;
  // The next piece; empty at the end. Waits for the disk.
  Result<std::string> next();

 private:
  bucket::BucketStore& store_;
  std::shared_ptr<bucket::ReadWatch::Guard> guard_;
  std::vector<bucket::Segment> segments_;
  std::size_t segment_ = 0;  // the next bytes are in it,
  std::uint64_t offset_;     // there
  std::uint64_t left_;
  std::unique_ptr<BodyReader> reader_;  // of the segment, if it is a file
  RunElsewhere run_elsewhere_;
};

}  // namespace pawl::wire
