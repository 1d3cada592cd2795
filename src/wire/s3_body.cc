#include "wire/s3_body.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "base/hex.h"

namespace pawl::wire {
namespace {

constexpr std::string_view kChecksumPrefix = "x-amz-checksum-";

S3Error invalid_request(std::string message) {
  return {400, "InvalidRequest", std::move(message), {}};
}
S3Error bad_digest(std::string what) {
  return {400,
          "BadDigest",
          "The " + std::move(what) + " you specified did not match what we received.",
          {}};
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// STREAMING-[UNSIGNED-PAYLOAD|AWS4-HMAC-SHA256-PAYLOAD][-TRAILER]
S3Status read_streaming(std::string_view word, const HttpRequest& request,
                        const std::optional<VerifiedSignature>& signature, BodyClaims& claims) {
  AwsChunkedForm form;
  form.trailer = word.ends_with("-TRAILER");
  const std::string_view kind = form.trailer ? word.substr(0, word.size() - 8) : word;
  if (kind == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") {
    form.signed_chunks = true;
    form.signature = signature;
  } else if (kind != "STREAMING-UNSIGNED-PAYLOAD" || !form.trailer) {
    return not_implemented("The payload form " + std::string(word.substr(0, 64)));
  }
  const auto decoded = number(request.header("x-amz-decoded-content-length"));
  if (!decoded)
    return S3Error{411,
                   "MissingContentLength",
                   "You must provide the X-Amz-Decoded-Content-Length HTTP header.",
                   {}};
  form.decoded_bytes = *decoded;
  claims.bytes = *decoded;
  claims.chunked = std::move(form);
  return Unit{};
}

// "x-amz-checksum-crc32" -> "crc32"; empty for any other header.
std::string_view checksum_of_header(std::string_view name) {
  if (name.size() <= kChecksumPrefix.size() ||
      !equal_ignoring_case(name.substr(0, kChecksumPrefix.size()), kChecksumPrefix)) {
    return {};
  }
  return checksum_named(name.substr(kChecksumPrefix.size()));
}

S3Status read_checksum(const HttpRequest& request, BodyClaims& claims) {
  for (const HttpHeader& header : request.headers) {
    const std::string_view name = checksum_of_header(header.name);
    if (name.empty()) continue;
    if (!claims.checksum.empty())
      return invalid_request(
          "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    claims.checksum = name;
    claims.checksum_value = header.value;
  }
  const std::string_view trailer = request.header("x-amz-trailer");
  if (!trailer.empty()) {
    const std::string_view name = checksum_of_header(trailer);
    if (name.empty() || !claims.checksum.empty() || !claims.chunked || !claims.chunked->trailer)
      return invalid_request("The value specified in the x-amz-trailer header is not supported");
    claims.checksum = name;
    claims.checksum_in_trailer = true;
  }
  const std::string_view asked = request.header("x-amz-sdk-checksum-algorithm");
  if (claims.checksum.empty() && !asked.empty()) {
    claims.checksum = checksum_named(asked);
    if (claims.checksum.empty())
      return invalid_request(
          "Checksum algorithm provided is unsupported. Please try again with any of the valid "
          "types: "
          "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  }
  if (!claims.checksum_value.empty() && !from_base64(claims.checksum_value))
    return invalid_request("Value for x-amz-checksum-" + claims.checksum + " header is invalid.");
  return Unit{};
}

}  // namespace

S3Result<BodyClaims> body_claims_of(const HttpRequest& request,
                                    const std::optional<VerifiedSignature>& signature) {
  BodyClaims claims;
  const std::string_view sha256 = request.header("x-amz-content-sha256");
  if (sha256.starts_with("STREAMING-")) {
    WIRE_TRY(read_streaming(sha256, request, signature, claims));
  } else if (!sha256.empty() && sha256 != "UNSIGNED-PAYLOAD") {
    if (sha256.size() != 64 || !from_hex(sha256))
      return invalid_argument(
          "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- form or a valid sha256 "
          "value.");
    claims.sha256 = sha256;
  }
  if (!claims.bytes) claims.bytes = number(request.header("content-length"));
  if (claims.bytes.value_or(0) > kObjectBytesMax)
    return S3Error{
        400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {}};
  if (request.has_header("content-md5")) {
    const auto md5 = from_base64(request.header("content-md5"));
    if (!md5 || md5->size() != 16)
      return S3Error{400, "InvalidDigest", "The Content-MD5 you specified was invalid.", {}};
    claims.md5 = *md5;
  }
  WIRE_TRY(read_checksum(request, claims));
  return claims;
}

IncomingBody::IncomingBody(bucket::BucketStore& store, BodyClaims claims)
    : store_(store),
      claims_(std::move(claims)),
      digests_(claims_.checksum, !claims_.sha256.empty()) {
  if (claims_.chunked) decoder_.emplace(*claims_.chunked);
}

IncomingBody::~IncomingBody() {
  if (file_ == 0) return;
  writer_.reset();
  store_.committer().watch()->retire({file_});  // the commit thread removes it
}

S3Status IncomingBody::take(std::string_view bytes) {
  if (!decoder_) return keep(bytes);
  decoded_.clear();
  WIRE_TRY(decoder_->feed(bytes, decoded_));
  return keep(decoded_);
}

S3Status IncomingBody::keep(std::string_view decoded) {
  if (decoded.size() > claims_.bytes.value_or(kObjectBytesMax) - bytes_)
    return S3Error{
        400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {}};
  bytes_ += decoded.size();
  digests_.update(decoded);
  if (!writer_) {
    memory_.append(decoded);
    if (memory_.size() <= bucket::kStoredBytesMax) return Unit{};
    if (!store_.committer().enough_room())
      return S3Error{503, "SlowDown", "There is no room for writes.", {}};
    file_ = store_.new_number();
    auto made = store_.files().create(file_);
    if (!made.ok()) return s3_error_of(made.error());
    writer_ = std::move(made).value();
    decoded = memory_;
  }
  const auto written = writer_->append(decoded);
  std::string().swap(memory_);
  if (!written.ok()) return s3_error_of(written.error());
  return Unit{};
}

S3Status check_body(const BodyClaims& claims, const AwsChunkedDecoder* decoder, std::uint64_t bytes,
                    const BodyDigests::Values& values) {
  if ((decoder != nullptr && !decoder->done()) || bytes != claims.bytes.value_or(bytes)) {
    return S3Error{
        400,
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
        {}};
  }
  std::string_view checksum = claims.checksum_value;
  if (claims.checksum_in_trailer) {
    const std::string name = std::string(kChecksumPrefix) + claims.checksum;
    for (const auto& [trailer, value] : decoder->trailers()) {
      if (trailer == name) checksum = value;
    }
    if (checksum.empty())
      return S3Error{400,
                     "MalformedTrailerError",
                     "The request contained trailing data that was not well-formed or did not "
                     "conform to our published schema.",
                     {}};
  }
  if (!claims.md5.empty() && claims.md5 != values.md5) return bad_digest("Content-MD5");
  if (!checksum.empty() && checksum != values.checksum)
    return bad_digest(checksum_in_capitals(claims.checksum));
  if (!claims.sha256.empty() && claims.sha256 != values.sha256) {
    return S3Error{400,
                   "XAmzContentSHA256Mismatch",
                   "The provided 'x-amz-content-sha256' header does not match what was computed.",
                   {}};
  }
  return Unit{};
}

S3Result<IncomingBody::Whole> IncomingBody::finish(bool may_inline) {
  const BodyDigests::Values values = digests_.finish();
  WIRE_TRY(check_body(claims_, decoder_ ? &*decoder_ : nullptr, bytes_, values));
  Whole whole;
  whole.bytes = bytes_;
  whole.etag = to_hex(values.md5);
  whole.checksum = {claims_.checksum, values.checksum, false};
  if (writer_) {
    const auto sealed = writer_->seal();
    if (!sealed.ok()) return s3_error_of(sealed.error());
    writer_.reset();
    whole.place.kind = bucket::BodyKind::kFile;
    whole.place.number = std::exchange(file_, 0);
    return whole;
  }
  whole.place.bytes = std::move(memory_);
  if (!may_inline || bytes_ > bucket::kInlineBytesMax) {
    whole.place.kind = bucket::BodyKind::kStored;
    whole.place.number = store_.new_number();
  }
  return whole;
}

}  // namespace pawl::wire
