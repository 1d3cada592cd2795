// The aws-chunked content encoding: chunks with their sizes, perhaps each with a signature, perhaps with trailing headers.
//
//   5;chunk-signature=<64 hex>\r\nhello\r\n0;chunk-signature=<64 hex>\r\n[x-amz-checksum-crc32:…\r\n…]\r\n
//
// Sources: the S3 API reference, "Transferring Payload in Multiple Chunks" (with and without trailing headers).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "wire/s3_error.h"
#include "wire/sigv4.h"

namespace pawl::wire {

struct AwsChunkedForm {
  bool signed_chunks = false;
  bool trailer = false;
  std::uint64_t decoded_bytes = 0;  // what X-Amz-Decoded-Content-Length says
  std::optional<VerifiedSignature>
      signature;  // to check chunks against; none: they are taken unchecked
};

// Decodes piece by piece, however the pieces are cut. Holds no chunk: its bytes go on before its signature is known to be right,
// and nothing may be believed before done(). One thread at a time.
class AwsChunkedDecoder {
 public:
  explicit AwsChunkedDecoder(AwsChunkedForm form) : form_(std::move(form)) {}

  // Appends the decoded bytes to `out`. Errors: IncompleteBody, InvalidChunkSizeError, SignatureDoesNotMatch, …; after one, no
  // more may be fed.
  S3Status feed(std::string_view bytes, std::string& out);
  // Whether all of it has come, with as many bytes as were announced.
  bool done() const { return state_ == State::kDone && decoded_ == form_.decoded_bytes; }
  const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }

 private:
  enum class State : std::uint8_t { kSize, kData, kDataEnd, kTrailer, kDone };

  S3Status take_line();
  S3Status begin_chunk();
  S3Status end_chunk();
  S3Status take_trailer();
  S3Status end_trailer();
  bool is_signed_by(std::string_view kind, std::string_view hashes, std::string_view presented);

  AwsChunkedForm form_;
  State state_ = State::kSize;
  std::string line_;  // bounded
  std::uint64_t chunk_left_ = 0;
  bool last_chunk_ = false;
  std::string chunk_signature_;
  Sha256 chunk_hash_;
  std::uint64_t decoded_ = 0;
  std::vector<std::pair<std::string, std::string>> trailers_;
  std::string trailer_signature_;
};

}  // namespace pawl::wire
