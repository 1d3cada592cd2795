#include "wire/aws_chunked.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>

namespace pawl::wire {
namespace {

constexpr std::size_t kLineBytesMax = 1024;
constexpr std::size_t kTrailersMax = 16;
constexpr std::string_view kSignatureName = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";

S3Error broken(std::string what) {
  return {400, "IncompleteBody", "The aws-chunked body is not well-formed: " + std::move(what), {}};
}
S3Error wrong_signature() {
  return {403,
          "SignatureDoesNotMatch",
          "The request signature we calculated does not match the signature of a chunk.",
          {}};
}

}  // namespace

S3Status AwsChunkedDecoder::feed(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (state_ == State::kDone) return broken("something stands behind its end.");
    if (state_ == State::kData) {
      const auto size =
          static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, bytes.size()));
      if (form_.signed_chunks && form_.signature) chunk_hash_.update(bytes.substr(0, size));
      out.append(bytes.substr(0, size));
      bytes.remove_prefix(size);
      chunk_left_ -= size;
      if (chunk_left_ == 0) state_ = State::kDataEnd;
      continue;
    }
    const std::size_t end = bytes.find('\n');
    const std::size_t size = std::min(end, bytes.size());
    if (line_.size() + size > kLineBytesMax) return broken("a line is too long.");
    line_.append(bytes.substr(0, size));
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : size + 1);
    if (end == std::string_view::npos) break;
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    WIRE_TRY(take_line());
    line_.clear();
  }
  return Unit{};
}

S3Status AwsChunkedDecoder::take_line() {
  switch (state_) {
    case State::kSize:
      return begin_chunk();
    case State::kDataEnd:
      if (!line_.empty()) return broken("a chunk is longer than it says.");
      state_ = State::kSize;
      return end_chunk();
    case State::kTrailer:
      return line_.empty() ? end_trailer() : take_trailer();
    case State::kData:
    case State::kDone:
      break;
  }
  return broken("a line stands where none may.");
}

S3Status AwsChunkedDecoder::begin_chunk() {
  const auto parsed = std::from_chars(line_.data(), line_.data() + line_.size(), chunk_left_, 16);
  const std::string_view rest(parsed.ptr,
                              static_cast<std::size_t>(line_.data() + line_.size() - parsed.ptr));
  if (parsed.ec != std::errc()) return broken("a chunk does not begin with its size.");
  if (chunk_left_ > form_.decoded_bytes - decoded_)
    return broken("it is longer than X-Amz-Decoded-Content-Length says.");
  decoded_ += chunk_left_;
  chunk_signature_.clear();
  if (form_.signed_chunks) {
    if (!rest.starts_with(kSignatureName)) return broken("a chunk has no signature.");
    chunk_signature_ = rest.substr(kSignatureName.size());
  } else if (!rest.empty()) {
    return broken("something stands behind a chunk's size.");
  }
  last_chunk_ = chunk_left_ == 0;
  if (!last_chunk_) {
    state_ = State::kData;
    return Unit{};
  }
  state_ = State::kTrailer;
  return end_chunk();
}

bool AwsChunkedDecoder::is_signed_by(std::string_view kind, std::string_view hashes,
                                     std::string_view presented) {
  std::string text("AWS4-HMAC-SHA256-");
  text.append(kind).append("\n").append(form_.signature->timestamp).append("\n");
  text.append(form_.signature->scope).append("\n").append(form_.signature->signature).append("\n");
  text.append(hashes);
  std::string expected = sigv4::signature_of(form_.signature->key, text);
  if (expected.size() != presented.size() ||
      CRYPTO_memcmp(expected.data(), presented.data(), expected.size()) != 0) {
    return false;
  }
  form_.signature->signature = std::move(expected);  // the next one's predecessor
  return true;
}

S3Status AwsChunkedDecoder::end_chunk() {
  if (!form_.signed_chunks || !form_.signature) return Unit{};
  const std::string hashes = sha256({}).to_hex() + "\n" + chunk_hash_.finish().to_hex();
  if (!is_signed_by("PAYLOAD", hashes, chunk_signature_)) return wrong_signature();
  return Unit{};
}

S3Status AwsChunkedDecoder::take_trailer() {
  const std::size_t colon = line_.find(':');
  if (!form_.trailer || colon == std::string::npos || colon == 0)
    return broken("a trailing header is not one.");
  if (trailers_.size() >= kTrailersMax) return broken("it has too many trailing headers.");
  std::string name = line_.substr(0, colon);
  std::string value = line_.substr(colon + 1);
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  while (value.starts_with(' ')) value.erase(0, 1);
  while (value.ends_with(' ')) value.pop_back();
  if (name == kTrailerSignature) {
    trailer_signature_ = std::move(value);
  } else {
    trailers_.emplace_back(std::move(name), std::move(value));
  }
  return Unit{};
}

S3Status AwsChunkedDecoder::end_trailer() {
  state_ = State::kDone;
  if (!form_.trailer || !form_.signed_chunks || !form_.signature) return Unit{};
  std::string text;
  for (const auto& [name, value] : trailers_)
    text.append(name).append(":").append(value).append("\n");
  if (!is_signed_by("TRAILER", sha256(text).to_hex(), trailer_signature_)) return wrong_signature();
  return Unit{};
}

}  // namespace pawl::wire
