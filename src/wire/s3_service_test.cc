#include "wire/s3_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/hex.h"
#include "wire/s3_fixture_test.h"
#include "wire/s3_read.h"
#include "wire/s3_xml.h"

namespace pawl::wire {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [header, value] : response.headers) {
    if (header == name) return value;
  }
  return {};
}

TEST(S3Service, AnObjectsLife) {
  S3InMemory s3;
  EXPECT_EQ(s3.ask("PUT", "/bucket").status, 200U);
  const auto put = s3.ask("PUT", "/bucket/a%20b", "hello", {{"Content-Type", "text/plain"}});
  EXPECT_EQ(put.status, 200U);
  EXPECT_EQ(header_of(put, "ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  const auto got = s3.ask("GET", "/bucket/a%20b");
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(header_of(got, "content-type"), "text/plain");
  const auto head = s3.ask("HEAD", "/bucket/a%20b");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.length, 5U);
  EXPECT_EQ(s3.ask("DELETE", "/bucket/a%20b").status, 204U);
  const auto gone = s3.ask("GET", "/bucket/a%20b");
  EXPECT_EQ(gone.status, 404U);
  EXPECT_THAT(gone.body, HasSubstr("<Code>NoSuchKey</Code>"));
  EXPECT_EQ(s3.ask("HEAD", "/bucket/a%20b").body, "");
}

TEST(S3Service, WhatIsNotThereIsNamed) {
  S3InMemory s3;
  s3.ask("PUT", "/bucket");
  for (const char* target : {"/bucket?policy", "/bucket?lifecycle", "/bucket/k?restore"}) {
    const auto answer = s3.ask("GET", target);
    EXPECT_EQ(answer.status, 501U) << target;
    EXPECT_THAT(answer.body,
                HasSubstr(std::string(target).substr(std::string(target).find('?') + 1)));
  }
}

TEST(S3Service, SignedRequestsOnlyWhereKeysAreConfigured) {
  const AccessKey key{"AKID", "secret"};
  S3InMemory s3({key});
  EXPECT_EQ(s3.ask("PUT", "/bucket").status, 403U);
  const std::string host = "127.0.0.1:8000";
  const auto sign = [&](std::string_view method, std::string_view target, const std::string& body,
                        const std::string& secret) {
    auto headers = sigv4::sign_request({"AKID", secret}, "us-east-1", "s3", method, host, target,
                                       {}, sha256(body).to_hex(), {1'800'000'000'000'000});
    return s3.ask(method, target, body, headers);
  };
  EXPECT_EQ(sign("PUT", "/bucket", "", "secret").status, 200U);
  EXPECT_EQ(sign("PUT", "/bucket/k%2Bk", "body", "secret").status, 200U);
  EXPECT_EQ(sign("GET", "/bucket/k%2Bk?x=%20y", "", "secret").body, "body");
  EXPECT_THAT(sign("GET", "/bucket/k%2Bk", "", "guess").body, HasSubstr("SignatureDoesNotMatch"));
  // The body must be what was signed.
  auto headers = sigv4::sign_request(key, "us-east-1", "s3", "PUT", host, "/bucket/k", {},
                                     sha256("signed").to_hex(), {1'800'000'000'000'000});
  EXPECT_THAT(s3.ask("PUT", "/bucket/k", "other", headers).body,
              HasSubstr("XAmzContentSHA256Mismatch"));
  headers = sigv4::sign_request(key, "us-east-1", "s3", "PUT", host, "/bucket/k", {},
                                sha256("").to_hex(), {1'800'000'000'000'000 - 3'600'000'000});
  EXPECT_THAT(s3.ask("PUT", "/bucket/k", "", headers).body, HasSubstr("RequestTimeTooSkewed"));
}

// The chunks of one body, signed as the reference tells it; `break_at`: the chunk whose signature is wrong.
struct SignedBody {
  VerifiedSignature seed;
  std::string encode(const std::vector<std::string>& chunks, int break_at = -1) const {
    std::string previous = seed.signature, out;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      std::string signature = sigv4::signature_of(
          seed.key, "AWS4-HMAC-SHA256-PAYLOAD\n" + seed.timestamp + "\n" + seed.scope + "\n" +
                        previous + "\n" + sha256("").to_hex() + "\n" + sha256(chunks[i]).to_hex());
      previous = signature;
      if (static_cast<int>(i) == break_at) signature[0] = signature[0] == '0' ? '1' : '0';
      out += fmt_hex(chunks[i].size()) + ";chunk-signature=" + signature + "\r\n";
      if (!chunks[i].empty()) out += chunks[i] + "\r\n";
    }
    return out + "\r\n";
  }
  static std::string fmt_hex(std::size_t number) {
    char text[20];
    std::snprintf(text, sizeof text, "%zx", number);
    return text;
  }
};

SignedBody signed_body() {
  VerifiedSignature seed;
  seed.key = sigv4::signing_key("secret", "20270115", "us-east-1", "s3");
  seed.signature = std::string(64, 'a');
  seed.timestamp = "20270115T080000Z";
  seed.scope = "20270115/us-east-1/s3/aws4_request";
  return {seed};
}

TEST(AwsChunked, EverySignedChunkIsChecked) {
  const SignedBody body = signed_body();
  const std::vector<std::string> chunks{"first", "second", ""};
  for (int break_at = -1; break_at < 3; ++break_at) {
    AwsChunkedDecoder decoder({true, false, 11, body.seed});
    std::string out;
    const auto fed = decoder.feed(body.encode(chunks, break_at), out);
    EXPECT_EQ(fed.ok(), break_at == -1) << break_at;
    if (break_at == -1) {
      EXPECT_EQ(out, "firstsecond");
      EXPECT_TRUE(decoder.done());
    }
  }
  std::string changed = body.encode(chunks);
  changed[changed.find("second")] = 'S';
  AwsChunkedDecoder decoder({true, false, 11, body.seed});
  std::string out;
  EXPECT_EQ(decoder.feed(changed, out).error().code, "SignatureDoesNotMatch");
}

TEST(AwsChunked, EveryCutGivesTheSame) {
  const std::string body = "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Amz-Checksum-CRC32: value \r\n\r\n";
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    AwsChunkedDecoder decoder({false, true, 5, {}});
    std::string out;
    ASSERT_TRUE(decoder.feed(body.substr(0, cut), out).ok());
    EXPECT_EQ(decoder.done(), cut == body.size());
    ASSERT_TRUE(decoder.feed(body.substr(cut), out).ok());
    EXPECT_EQ(out, "abcde");
    ASSERT_TRUE(decoder.done());
    EXPECT_EQ(decoder.trailers()[0],
              (std::pair<std::string, std::string>("x-amz-checksum-crc32", "value")));
  }
}

TEST(S3Read, Ranges) {
  const auto range = [](std::string_view header, std::uint64_t size) -> std::string {
    const auto read = range_of(header, size);
    if (!read.ok()) return "unsatisfiable";
    if (!read.value()) return "whole";
    return std::to_string(read.value()->first) + "+" + std::to_string(read.value()->bytes);
  };
  EXPECT_EQ(range("bytes=0-0", 10), "0+1");
  EXPECT_EQ(range("bytes=2-", 10), "2+8");
  EXPECT_EQ(range("bytes=-3", 10), "7+3");
  EXPECT_EQ(range("bytes=-30", 10), "0+10");
  EXPECT_EQ(range("bytes=5-100", 10), "5+5");
  EXPECT_EQ(range("bytes=0-18446744073709551615", 10), "0+10");
  EXPECT_EQ(range("bytes=10-", 10), "unsatisfiable");
  EXPECT_EQ(range("bytes=-0", 10), "unsatisfiable");
  EXPECT_EQ(range("bytes=0-", 0), "unsatisfiable");
  for (const char* odd :
       {"", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "items=0-1", "bytes=0-1,2-3"})
    EXPECT_EQ(range(odd, 10), "whole") << odd;
}

TEST(S3Read, ConditionsInTheirOrder) {
  const Instant modified{1'800'000'000'500'000};
  const std::string same = http_date(modified), before = http_date({1'700'000'000'000'000});
  const auto verdict = [&](ReadConditions conditions) {
    return verdict_of(conditions, "e", modified);
  };
  EXPECT_EQ(verdict({}), ReadVerdict::kRead);
  EXPECT_EQ(verdict({"\"e\"", "", "", before}), ReadVerdict::kRead)
      << "If-Match stands before the date";
  EXPECT_EQ(verdict({"\"x\", \"y\"", "", "", ""}), ReadVerdict::kFailed);
  EXPECT_EQ(verdict({"", "", "", before}), ReadVerdict::kFailed);
  EXPECT_EQ(verdict({"", "", "", same}), ReadVerdict::kRead);
  EXPECT_EQ(verdict({"", "\"x\", W/\"e\"", "", ""}), ReadVerdict::kNotModified);
  EXPECT_EQ(verdict({"", "\"x\"", same, ""}), ReadVerdict::kRead)
      << "If-None-Match stands before the date";
  EXPECT_EQ(verdict({"", "", same, ""}), ReadVerdict::kNotModified);
  EXPECT_EQ(verdict({"", "", "yesterday", "tomorrow"}), ReadVerdict::kRead);
}

TEST(S3Call, BucketNames) {
  for (const char* name : {"abc", "a-b.c", "123", "xn--x"})
    EXPECT_TRUE(is_bucket_name(name)) << name;
  for (const char* name : {"ab", "Abc", "a_b", ".abc", "abc-", "a..b", "a.-b", "1.2.3.4", "status",
                           "metrics", "2015-03-31"})
    EXPECT_FALSE(is_bucket_name(name)) << name;
  EXPECT_FALSE(is_bucket_name(std::string(64, 'a')));
}

TEST(S3Digests, OfPartsAndOfTheWhole) {
  EXPECT_EQ(etag_of_parts({"5d41402abc4b2a76b9719d911017c592"}).value(),
            "62109206880d38a4010a98e11243924a-1");
  EXPECT_FALSE(etag_of_parts({"no md5"}));
  std::vector<PartChecksum> parts;
  BodyDigests whole("crc64nvme", false);
  for (const std::string part : {"first part", "second", ""}) {
    BodyDigests digests("crc64nvme", false);
    digests.update(part);
    whole.update(part);
    parts.push_back({digests.finish().checksum, part.size()});
  }
  EXPECT_EQ(checksum_of_parts({"crc64nvme", "", false}, parts).value().value,
            whole.finish().checksum);
  parts[1].value.clear();
  EXPECT_FALSE(checksum_of_parts({"crc64nvme", "", false}, parts).ok());
  EXPECT_FALSE(checksum_of_parts({"sha256", "", true}, parts).ok());
}

}  // namespace
}  // namespace pawl::wire
