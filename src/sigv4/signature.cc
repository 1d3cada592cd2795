#include "sigv4/signature.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>

#include "base/assert.h"
#include "base/hex.h"

namespace pawl::sigv4 {
namespace {

// One context a thread: setting HMAC and SHA-256 up anew costs more than a short message does.
class HmacContext {
 public:
  HmacContext() : mac_(EVP_MAC_fetch(nullptr, "HMAC", nullptr)), context_(EVP_MAC_CTX_new(mac_)) {
    PAWL_ASSERT(context_ != nullptr);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    PAWL_ASSERT(EVP_MAC_CTX_set_params(context_, parameters) == 1);
  }
  ~HmacContext() {
    EVP_MAC_CTX_free(context_);
    EVP_MAC_free(mac_);
  }
  HmacContext(const HmacContext&) = delete;
  HmacContext& operator=(const HmacContext&) = delete;

  HmacKey sign(std::string_view key, std::string_view text) {
    static constexpr unsigned char kEmpty = 0;  // OpenSSL takes no null key
    HmacKey result{};
    std::size_t size = 0;
    const auto* key_bytes =
        key.empty() ? &kEmpty : reinterpret_cast<const unsigned char*>(key.data());
    PAWL_ASSERT(EVP_MAC_init(context_, key_bytes, key.size(), nullptr) == 1);
    PAWL_ASSERT(EVP_MAC_update(context_, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size()) == 1);
    PAWL_ASSERT(EVP_MAC_final(context_, result.data(), &size, result.size()) == 1 &&
                size == result.size());
    return result;
  }

 private:
  EVP_MAC* mac_;
  EVP_MAC_CTX* context_;
};

std::string_view bytes_of(const HmacKey& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

}  // namespace

HmacKey hmac_sha256(std::string_view key, std::string_view text) {
  thread_local HmacContext context;
  return context.sign(key, text);
}

HmacKey signing_key(std::string_view secret, std::string_view date, std::string_view region,
                    std::string_view service) {
  HmacKey key = hmac_sha256("AWS4" + std::string(secret), date);
  key = hmac_sha256(bytes_of(key), region);
  key = hmac_sha256(bytes_of(key), service);
  return hmac_sha256(bytes_of(key), "aws4_request");
}

std::string signature_of(const HmacKey& key, std::string_view text_to_sign) {
  return to_hex(bytes_of(hmac_sha256(bytes_of(key), text_to_sign)));
}

std::optional<CredentialScope> parse_credential(std::string_view credential) {
  // An access key may itself have slashes, so the scope is counted from the end.
  std::array<std::string_view, 4> parts;
  for (std::size_t i = parts.size(); i-- > 0;) {
    const std::size_t slash = credential.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    parts[i] = credential.substr(slash + 1);
    credential = credential.substr(0, slash);
  }
  if (credential.empty() || parts[3] != "aws4_request") return std::nullopt;
  return CredentialScope{credential, parts[0], parts[1], parts[2]};
}

std::string amz_timestamp(Instant instant) {
  const std::string text = instant.to_string();  // 2026-11-22T18:00:00.123456Z
  return text.substr(0, 4) + text.substr(5, 2) + text.substr(8, 2) + "T" + text.substr(11, 2) +
         text.substr(14, 2) + text.substr(17, 2) + "Z";
}

std::optional<Instant> parse_amz_timestamp(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const std::string iso = std::string(text.substr(0, 4)) + "-" + std::string(text.substr(4, 2)) +
                          "-" + std::string(text.substr(6, 5)) + ":" +
                          std::string(text.substr(11, 2)) + ":" + std::string(text.substr(13, 3));
  return Instant::parse(iso);
}

std::vector<std::pair<std::string, std::string>> sign_request(
    const AccessKey& key, std::string_view region, std::string_view service,
    std::string_view method, std::string_view host, std::string_view target,
    const std::vector<HttpHeader>& headers, std::string_view body_hash, Instant now) {
  const std::string timestamp = amz_timestamp(now);
  std::vector<HttpHeader> all = headers;
  all.push_back({"host", host});
  all.push_back({"x-amz-date", timestamp});
  if (service == "s3") all.push_back({"x-amz-content-sha256", body_hash});
  std::vector<std::string> names;
  for (const HttpHeader& header : all) {
    std::string name(header.name);
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const std::vector<std::string_view> signed_headers(names.begin(), names.end());
  const PathRule rule = service == "s3" ? PathRule::kAsSent : PathRule::kNormalised;
  const auto canonical = canonical_request(method, target, all, signed_headers, body_hash, rule);

  const CredentialScope scope{key.id, std::string_view(timestamp).substr(0, 8), region, service};
  const HmacKey signer = signing_key(key.secret, scope.date, region, service);
  const std::string signature =
      signature_of(signer, string_to_sign(canonical.value_or(""), timestamp, scope));
  std::string authorization(kAlgorithm);
  authorization.append(" Credential=").append(key.id).append("/").append(scope.date).append("/");
  authorization.append(region).append("/").append(service).append("/aws4_request, SignedHeaders=");
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) authorization.push_back(';');
    authorization.append(names[i]);
  }
  authorization.append(", Signature=").append(signature);

  std::vector<std::pair<std::string, std::string>> added{
      {"X-Amz-Date", timestamp}, {"Authorization", std::move(authorization)}};
  if (service == "s3") added.emplace_back("X-Amz-Content-Sha256", std::string(body_hash));
  return added;
}

}  // namespace pawl::sigv4
