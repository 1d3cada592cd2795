#include "wire/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.h"
#include "wire/access_gate.h"

namespace pawl::wire {
namespace {

using ::testing::HasSubstr;

// The account of AWS's published test suite for Signature Version 4.
const AccessKey kExample{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
// What botocore 1.29 sends for GetItem with the example's key, region eu-north-1, at 20261122T180000Z.
constexpr std::string_view kBody = R"({"TableName": "users", "Key": {"hashid": {"S": "A000001"}}})";
constexpr std::string_view kBotocoreAuthorization =
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/eu-north-1/dynamodb/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
    "Signature=9ee57e022bb5dc319e1c1820e7517e9d9fbef9c3c0db9cbac56b139341ef1f9c";

class VerifierTest : public ::testing::Test {
 protected:
  VerifierTest() {
    request.method = "POST";
    request.target = "/";
    request.body = kBody;
    request.headers = {{"Host", "127.0.0.1:8000"},
                       {"X-Amz-Target", "DynamoDB_20120810.GetItem"},
                       {"Content-Type", "application/x-amz-json-1.0"},
                       {"User-Agent", "Boto3/1.26.27"},
                       {"X-Amz-Date", "20261122T180000Z"},
                       {"Authorization", kBotocoreAuthorization}};
  }
  std::string verify() {
    auto result = verifier.verify(request, "dynamodb", now);
    return result.ok() ? "ok " + result.value()
                       : std::string(result.error().type) + ": " + result.error().message;
  }
  HttpHeader& header(std::string_view name) {
    for (HttpHeader& header : request.headers) {
      if (header.name == name) return header;
    }
    return request.headers.emplace_back(HttpHeader{name, ""});
  }

  HttpRequest request;
  SignatureVerifier verifier{{kExample, {"OTHER", "secret"}}};
  Instant now = Instant::parse("2026-11-22T18:00:00Z").value();
};

TEST_F(VerifierTest, TakesWhatBotocoreSigns) {
  EXPECT_EQ(verify(), "ok AKIDEXAMPLE");
  EXPECT_EQ(verify(), "ok AKIDEXAMPLE");  // with the cached signing key
}

TEST_F(VerifierTest, TakesWhatTheSignerSigns) {
  const std::vector<HttpHeader> unsigned_headers{{"Content-Type", "application/x-amz-json-1.0"},
                                                 {"X-Amz-Target", "DynamoDB_20120810.GetItem"}};
  const auto added = sigv4::sign_request(kExample, "local", "dynamodb", "POST", "127.0.0.1:8000",
                                         "/", unsigned_headers, sha256(kBody).to_hex(), now);
  request.headers = unsigned_headers;
  request.headers.push_back({"Host", "127.0.0.1:8000"});
  for (const auto& [name, value] : added) request.headers.push_back({name, value});
  EXPECT_EQ(verify(), "ok AKIDEXAMPLE");
}

TEST_F(VerifierTest, NoticesEveryChange) {
  const std::string mismatch = "The request signature we calculated does not match";
  const HttpRequest good = request;
  request.body = R"({"TableName": "users", "Key": {"hashid": {"S": "A000002"}}})";
  EXPECT_THAT(verify(), HasSubstr(mismatch));
  request = good;
  request.target = "/?x=y";
  EXPECT_THAT(verify(), HasSubstr(mismatch));
  request = good;
  request.method = "GET";
  EXPECT_THAT(verify(), HasSubstr(mismatch));
  request = good;
  header("X-Amz-Target").value = "DynamoDB_20120810.DeleteItem";
  EXPECT_THAT(verify(), HasSubstr(mismatch));
  request = good;
  header("Host").value = "127.0.0.1:8001";
  EXPECT_THAT(verify(), HasSubstr(mismatch));
  request = good;
  header("X-Amz-Date").value = "20261122T180001Z";
  EXPECT_THAT(verify(), HasSubstr(mismatch));
  request = good;
  std::string other(kBotocoreAuthorization);
  other.back() = other.back() == '0' ? '1' : '0';
  header("Authorization").value = other;
  EXPECT_THAT(verify(), HasSubstr(mismatch));
  header("Authorization").value = std::string_view(other).substr(0, other.size() - 1);
  EXPECT_THAT(verify(), HasSubstr(mismatch));
}

TEST_F(VerifierTest, NoticesAge) {
  now.microseconds += 15 * 60 * 1'000'000LL;
  EXPECT_EQ(verify(), "ok AKIDEXAMPLE");
  now.microseconds += 1'000'000;
  EXPECT_THAT(
      verify(),
      HasSubstr(
          "#InvalidSignatureException: Signature expired: 20261122T180000Z is now earlier than "
          "20261122T180001Z (20261122T181501Z - 15 min.)"));
  now.microseconds -= 30 * 60 * 1'000'000LL + 2'000'000;
  EXPECT_THAT(verify(), HasSubstr("Signature not yet current"));
}

TEST_F(VerifierTest, DeniesWhatItDoesNotKnow) {
  const std::string auth(kBotocoreAuthorization);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = auth;
    changed.replace(changed.find(from), from.size(), to);
    header("Authorization").value = changed;
    return verify();
  };
  EXPECT_THAT(with("AKIDEXAMPLE", "AKIDNOBODY"), HasSubstr("#UnrecognizedClientException"));
  EXPECT_THAT(with("/dynamodb/", "/s3/"), HasSubstr("correct service: 'dynamodb'"));
  EXPECT_THAT(with("/20261122/", "/20261121/"),
              HasSubstr("Date in Credential scope does not match"));
  EXPECT_THAT(with("aws4_request", "aws4"), HasSubstr("#IncompleteSignatureException"));
  EXPECT_THAT(with("Signature=", "Sig="), HasSubstr("requires 'Signature' parameter"));
  EXPECT_THAT(with("AWS4-HMAC-SHA256", "AWS3"), HasSubstr("#IncompleteSignatureException"));
  EXPECT_THAT(with("x-amz-date;x-amz-target", "x-amz-date"),
              HasSubstr("'x-amz-target' must be a 'SignedHeader'"));
  EXPECT_THAT(with(";host", ""), HasSubstr("'Host' or ':authority' must be a 'SignedHeader'"));
  EXPECT_THAT(with("content-type;", "content-type;cookie;"),
              HasSubstr("'cookie' is not in the request"));
  std::erase_if(request.headers, [](const HttpHeader& h) { return h.name == "Authorization"; });
  EXPECT_THAT(verify(),
              HasSubstr("#MissingAuthenticationTokenException: Missing Authentication Token"));
}

TEST_F(VerifierTest, APayloadHashMustBeTrue) {
  header("X-Amz-Content-Sha256").value = "UNSIGNED-PAYLOAD";
  EXPECT_THAT(verify(), HasSubstr("'x-amz-content-sha256' must be a 'SignedHeader'"));
}

class AccessGateTest : public ::testing::Test {
 protected:
  AccessGateTest() {
    request.method = "POST";
    request.target = "/";
    request.body = "{}";
    request.headers = {{"Host", "localhost:8000"}, {"Content-Type", "application/x-amz-json-1.0"}};
  }
  std::string admit(AccessGate& gate) {
    const auto result = gate.admit(request, "dynamodb", {});
    return result.ok() ? "ok " + result.value().access_key + " " + result.value().region
                       : std::string(result.error().type) + ": " + result.error().message;
  }

  HttpRequest request;
  AccessGate open{{}};
  AccessGate closed{{kExample}};
};

TEST_F(AccessGateTest, OpenTakesUnsignedRequestsOfThisMachineOnly) {
  EXPECT_EQ(admit(open), "ok  ddblocal");
  for (const char* host : {"127.0.0.1", "127.0.0.1:8000", "LOCALHOST", "[::1]:80", "[::1]",
                           "127.0.0.11", "127.255.255.255:1"}) {
    request.headers[0].value = host;
    EXPECT_EQ(admit(open), "ok  ddblocal") << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example",
                           "localhost:", "", "localhost:80@evil", "127.0.0", "127.0.0.1.",
                           "127.0.0.1.1", "127.0.0.1234", "127.1", "127...", "128.0.0.1", "[::1]80",
                           "[::1", "[::2]", "[::1]:", "[::1]:123456", "127.0.0.1:80:80"}) {
    request.headers[0].value = host;
    EXPECT_THAT(admit(open), HasSubstr("#AccessDeniedException")) << host;
  }
}

TEST_F(AccessGateTest, OpenRefusesForeignPages) {
  request.headers.push_back({"Origin", "http://127.0.0.1:8000"});
  EXPECT_EQ(admit(open), "ok  ddblocal");
  for (const char* origin :
       {"http://evil.example", "null", "http://localhost.evil.example", "file://", ""}) {
    request.headers[2].value = origin;
    EXPECT_THAT(admit(open), HasSubstr("#AccessDeniedException")) << origin;
  }
  request.headers.push_back(
      {"Authorization", "AWS4-HMAC-SHA256 Credential=A/20261122/r/dynamodb/aws4_request, x"});
  EXPECT_THAT(admit(open), HasSubstr("#AccessDeniedException"));
}

TEST_F(AccessGateTest, OpenWantsTheExactContentType) {
  for (const char* type :
       {"text/plain", "application/json", "application/x-amz-json-1.0; charset=utf-8", ""}) {
    request.headers[1].value = type;
    EXPECT_THAT(admit(open), HasSubstr("#AccessDeniedException")) << type;
  }
}

TEST_F(AccessGateTest, OpenBelievesSignaturesUnverified) {
  request.headers.push_back(
      {"Authorization",
       "AWS4-HMAC-SHA256 Credential=anything/20261122/eu-north-1/dynamodb/aws4_request, "
       "Signature=x"});
  EXPECT_EQ(admit(open), "ok anything eu-north-1");
}

// Of every service: a page whose name resolves to 127.0.0.1 may send any header to "its own site", and read the answer.
TEST_F(AccessGateTest, OpenTakesSignedRequestsOfThisMachineOnly) {
  for (const std::string service : {"dynamodb", "sqs", "lambda", "s3", ""}) {
    const std::string authorization = "AWS4-HMAC-SHA256 Credential=a/20261122/eu-north-1/" +
                                      service + "/aws4_request, Signature=x";
    request.headers = {{"Host", "evil.example"},
                       {"Content-Type", "application/x-amz-json-1.0"},
                       {"Authorization", authorization}};
    for (const bool loopback : {false, true}) {
      if (loopback) request.headers[0].value = "127.0.0.1:8000";
      EXPECT_EQ(open.admit(request, service, {}).ok(), loopback) << service;
      EXPECT_EQ(open.admit_s3(request, {}).ok(), loopback) << service;
    }
  }
}

TEST_F(AccessGateTest, ClosedDeniesByDefault) {
  EXPECT_THAT(admit(closed), HasSubstr("#MissingAuthenticationTokenException"));
  request.headers.push_back(
      {"Authorization",
       "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/r/dynamodb/aws4_request, Signature=x"});
  EXPECT_THAT(admit(closed), HasSubstr("#IncompleteSignatureException"));
}

}  // namespace
}  // namespace pawl::wire
