#include "sigv4/signature.h"

#include <gtest/gtest.h>

#include "base/digest.h"

namespace pawl::sigv4 {
namespace {

// The account of AWS's published test suite for Signature Version 4.
const AccessKey kExample{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
constexpr std::string_view kTime = "20150830T123600Z";

std::string suite_signature(std::string_view method, std::string_view target,
                            std::vector<HttpHeader> headers,
                            std::vector<std::string_view> signed_headers,
                            std::string_view body = "") {
  headers.push_back({"Host", "example.amazonaws.com"});
  headers.push_back({"X-Amz-Date", kTime});
  const auto canonical = canonical_request(method, target, headers, signed_headers,
                                           sha256(body).to_hex(), PathRule::kNormalised);
  const CredentialScope scope{kExample.id, "20150830", "us-east-1", "service"};
  return signature_of(signing_key(kExample.secret, "20150830", "us-east-1", "service"),
                      string_to_sign(canonical.value(), kTime, scope));
}

TEST(SigV4, AgreesWithThePublishedTestSuite) {
  EXPECT_EQ(suite_signature("GET", "/", {}, {"host", "x-amz-date"}),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");  // get-vanilla
  EXPECT_EQ(suite_signature("POST", "/", {}, {"host", "x-amz-date"}),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");  // post-vanilla
  EXPECT_EQ(
      suite_signature("GET", "/?Param2=value2&Param1=value1", {}, {"host", "x-amz-date"}),
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");  // get-vanilla-query-order-key-case
  EXPECT_EQ(
      suite_signature("POST", "/", {{"My-Header1", "value1"}},
                      {"host", "my-header1", "x-amz-date"}),
      "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c");  // post-header-key-sort
  EXPECT_EQ(
      suite_signature("GET", "/./", {}, {"host", "x-amz-date"}),
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");  // get-slash-dot-slash
  EXPECT_EQ(suite_signature("GET", "/example/..", {}, {"host", "x-amz-date"}),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");  // get-relative
  EXPECT_EQ(suite_signature("GET", "//", {}, {"host", "x-amz-date"}),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");  // get-slash
}

TEST(SigV4, AgreesWithTheExamplesOfS3sReference) {
  // "Authenticating Requests: Using the Authorization Header" and "… Using Query Parameters".
  const std::string empty = sha256("").to_hex();
  const HmacKey key =
      signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3");
  const CredentialScope scope{"AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", "s3"};
  const auto get = canonical_request("GET", "/test.txt",
                                     {{"Host", "examplebucket.s3.amazonaws.com"},
                                      {"Range", "bytes=0-9"},
                                      {"x-amz-content-sha256", empty},
                                      {"x-amz-date", "20130524T000000Z"}},
                                     {"host", "range", "x-amz-content-sha256", "x-amz-date"}, empty,
                                     PathRule::kAsSent);
  EXPECT_EQ(signature_of(key, string_to_sign(*get, "20130524T000000Z", scope)),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  const auto presigned =
      canonical_request("GET",
                        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
                        "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3"
                        "%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-"
                        "SignedHeaders=host&X-Amz-Signature=x",
                        {{"Host", "examplebucket.s3.amazonaws.com"}}, {"host"}, "UNSIGNED-PAYLOAD",
                        PathRule::kAsSent, "X-Amz-Signature");
  EXPECT_EQ(signature_of(key, string_to_sign(*presigned, "20130524T000000Z", scope)),
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

}  // namespace
}  // namespace pawl::sigv4
