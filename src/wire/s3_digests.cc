#include "wire/s3_digests.h"

#include <openssl/evp.h>

#include <array>

#include "base/assert.h"
#include "base/base64.h"
#include "base/coding.h"
#include "base/crc.h"
#include "base/hex.h"

namespace pawl::wire {
namespace {

class Evp {
 public:
  explicit Evp(const EVP_MD* kind) : context_(EVP_MD_CTX_new()) {
    PAWL_ASSERT(context_ != nullptr && EVP_DigestInit_ex(context_, kind, nullptr) == 1);
  }
  ~Evp() { EVP_MD_CTX_free(context_); }
  Evp(const Evp&) = delete;
  Evp& operator=(const Evp&) = delete;

  void update(std::string_view bytes) {
    PAWL_ASSERT(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
  }
  std::string finish() {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    PAWL_ASSERT(
        EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), &size) == 1);
    digest.resize(size);
    return digest;
  }

 private:
  EVP_MD_CTX* context_;
};

std::string in_bytes(std::uint32_t value) {
  std::string bytes;
  append_u32_be(bytes, value);
  return bytes;
}
std::string in_bytes(std::uint64_t value) {
  std::string bytes;
  append_u64_be(bytes, value);
  return bytes;
}

// Of all parts: each's checksum follows that of what stands before it.
template <typename Word>
std::optional<std::string> whole_of(const std::vector<PartChecksum>& parts,
                                    Word (*of_both)(Word, Word, std::uint64_t)) {
  Word whole = 0;
  for (const PartChecksum& part : parts) {
    const auto bytes = from_base64(part.value);
    if (!bytes || bytes->size() != sizeof(Word)) return std::nullopt;
    Word value = 0;
    for (const char c : *bytes)
      value = static_cast<Word>((value << 8) | static_cast<std::uint8_t>(c));
    whole = of_both(whole, value, part.bytes);
  }
  return to_base64(in_bytes(whole));
}

}  // namespace

std::string_view checksum_named(std::string_view algorithm) {
  for (const std::string_view name : kChecksumNames) {
    if (equal_ignoring_case(algorithm, name)) return name;
  }
  return {};
}

std::string checksum_in_capitals(std::string_view name) {
  std::string result(name);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

struct BodyDigests::State {
  std::string_view checksum;
  Evp md5{EVP_md5()};
  std::optional<Evp> sha1;
  std::optional<Evp> sha256;
  bool wants_sha256 = false;
  std::uint32_t crc = 0;
  std::uint64_t crc64 = 0;
};

BodyDigests::BodyDigests(std::string_view checksum, bool sha256)
    : state_(std::make_unique<State>()) {
  state_->checksum = checksum_named(checksum);
  state_->wants_sha256 = sha256;
  if (state_->checksum == "sha1") state_->sha1.emplace(EVP_sha1());
  if (sha256 || state_->checksum == "sha256") state_->sha256.emplace(EVP_sha256());
}
BodyDigests::~BodyDigests() = default;
BodyDigests::BodyDigests(BodyDigests&&) noexcept = default;

void BodyDigests::update(std::string_view bytes) {
  state_->md5.update(bytes);
  if (state_->sha1) state_->sha1->update(bytes);
  if (state_->sha256) state_->sha256->update(bytes);
  if (state_->checksum == "crc32") state_->crc = crc32(bytes, state_->crc);
  if (state_->checksum == "crc32c") state_->crc = crc32c(bytes, state_->crc);
  if (state_->checksum == "crc64nvme") state_->crc64 = crc64_nvme(bytes, state_->crc64);
}

BodyDigests::Values BodyDigests::finish() {
  Values values;
  values.md5 = state_->md5.finish();
  std::string sha256;
  if (state_->sha256) sha256 = state_->sha256->finish();
  if (state_->wants_sha256) values.sha256 = to_hex(sha256);
  const std::string_view name = state_->checksum;
  if (name == "sha256") values.checksum = to_base64(sha256);
  if (name == "sha1") values.checksum = to_base64(state_->sha1->finish());
  if (name == "crc64nvme") values.checksum = to_base64(in_bytes(state_->crc64));
  if (name == "crc32" || name == "crc32c") values.checksum = to_base64(in_bytes(state_->crc));
  return values;
}

std::optional<std::string> etag_of_parts(const std::vector<std::string>& etags) {
  Evp md5(EVP_md5());
  for (const std::string& etag : etags) {
    const auto bytes = from_hex(etag);
    if (!bytes || bytes->size() != 16) return std::nullopt;
    md5.update(*bytes);
  }
  return to_hex(md5.finish()) + "-" + std::to_string(etags.size());
}

S3Result<bucket::Checksum> checksum_of_parts(const bucket::Checksum& declared,
                                             const std::vector<PartChecksum>& parts) {
  bucket::Checksum whole = declared;
  std::optional<std::string> value;
  if (declared.composite) {
    BodyDigests digests(declared.algorithm, false);
    bool all = true;
    for (const PartChecksum& part : parts) {
      const auto bytes = from_base64(part.value);
      all = all && bytes && !bytes->empty();
      if (all) digests.update(*bytes);
    }
    if (all) value = digests.finish().checksum + "-" + std::to_string(parts.size());
  } else if (declared.algorithm == "crc64nvme") {
    value = whole_of<std::uint64_t>(parts, crc64_nvme_of_both);
  } else if (declared.algorithm == "crc32") {
    value = whole_of<std::uint32_t>(parts, crc32_of_both);
  } else if (declared.algorithm == "crc32c") {
    value = whole_of<std::uint32_t>(parts, crc32c_of_both);
  }
  if (!value) {
    return S3Error{400,
                   "InvalidRequest",
                   "The upload was created using a " + declared.algorithm +
                       " checksum. The complete request must include the checksum for each part.",
                   {}};
  }
  whole.value = std::move(*value);
  return whole;
}

}  // namespace pawl::wire
