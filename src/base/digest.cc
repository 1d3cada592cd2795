#include "base/digest.h"

#include <openssl/evp.h>

#include "base/assert.h"
#include "base/hex.h"

namespace pawl {
namespace {

// Fetched once: EVP_sha256() looks the algorithm up again at every use (OpenSSL 3, "explicit
// fetching").
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  PAWL_ASSERT(algorithm != nullptr);
  return algorithm;
}

}  // namespace

std::string Digest::to_hex() const {
  return pawl::to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::optional<Digest> Digest::parse(std::string_view text) {
  if (text.size() != 64) return std::nullopt;
  for (const char c : text) {
    if (c >= 'A' && c <= 'F') return std::nullopt;
  }
  const auto raw = from_hex(text);
  if (!raw) return std::nullopt;
  Digest digest;
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    digest.bytes[i] = static_cast<std::uint8_t>((*raw)[i]);
  }
  return digest;
}

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  PAWL_ASSERT(EVP_DigestInit_ex2(context_->evp, sha256_algorithm(), nullptr) == 1);
}
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  PAWL_ASSERT(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  Digest digest;
  unsigned int size = 0;
  PAWL_ASSERT(EVP_DigestFinal_ex(context_->evp, digest.bytes.data(), &size) == 1);
  PAWL_ASSERT(size == digest.bytes.size());
  PAWL_ASSERT(EVP_DigestInit_ex2(context_->evp, nullptr, nullptr) == 1);
  return digest;
}

Digest sha256(std::string_view bytes) {
  thread_local Sha256 hasher;
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace pawl
