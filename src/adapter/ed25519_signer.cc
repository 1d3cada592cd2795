#include "adapter/ed25519_signer.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <string>

#include "adapter/posix_file.h"

namespace pawl {
namespace {

constexpr const char* kFileName = "signing-key.pem";
constexpr std::size_t kFileSizeMax = 4096;

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;

class Ed25519Signer final : public Signer {
 public:
  explicit Ed25519Signer(Key key) : key_(std::move(key)) {
    std::size_t size = public_key_.size();
    PAWL_ASSERT(EVP_PKEY_get_raw_public_key(key_.get(), public_key_.data(), &size) == 1 &&
                size == public_key_.size());
  }

  const PublicKey& public_key() const override { return public_key_; }

  Result<Signature> sign(std::string_view bytes) override {
    Signature signature;
    std::size_t size = signature.size();
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                     EVP_MD_CTX_free);
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &size,
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) != 1 ||
        size != signature.size()) {
      return Error{ErrorCode::kInternal, "signing a ledger page failed",
                   "check the OpenSSL installation"};
    }
    return signature;
  }

 private:
  Key key_;
  PublicKey public_key_{};
};

Result<Key> make_key(int directory) {
  Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  if (!key || !bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return Error{ErrorCode::kInternal, "making a signing key failed",
                 "check the OpenSSL installation"};
  }
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  PAWL_TRY(replace_file(directory, kFileName, {text, static_cast<std::size_t>(size)}, 0600));
  return key;
}

}  // namespace

Result<std::unique_ptr<Signer>> open_signer(int directory) {
  PAWL_ASSIGN_OR_RETURN(const auto text, read_file(directory, kFileName, kFileSizeMax));
  Key key(nullptr, EVP_PKEY_free);
  if (text) {
    const Bio bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())), BIO_free);
    key.reset(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
      return Error{ErrorCode::kCorrupt,
                   "the file \"signing-key.pem\" of the data directory is no Ed25519 private key",
                   "put back the right one; without it, move it away and a new key is made and "
                   "announced in the "
                   "ledger"};
    }
  } else {
    PAWL_ASSIGN_OR_RETURN(key, make_key(directory));
  }
  return std::unique_ptr<Signer>(std::make_unique<Ed25519Signer>(std::move(key)));
}

}  // namespace pawl
