#include "digests.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

namespace scripted {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(kind)), '\0');
  if (EVP_DigestInit_ex(context.get(), kind, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr) != 1)
    std::abort();  // out of memory: there is nothing that a test tool could do
  return out;
}

// Fetched once: OpenSSL 3 looks for an implementation at every EVP_sha256() otherwise, which costs more than a small body.
const EVP_MD* fetched(const char* name) {
  const EVP_MD* const kind = EVP_MD_fetch(nullptr, name, nullptr);
  if (kind == nullptr) std::abort();
  return kind;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  static const EVP_MD* const kind = fetched("SHA256");
  return digest(kind, bytes);
}

std::string md5(std::string_view bytes) {
  static const EVP_MD* const kind = fetched("MD5");
  return digest(kind, bytes);
}

}  // namespace scripted
