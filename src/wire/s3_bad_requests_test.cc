// What a client says and does not mean, or does not know that it says: refused by name, never done by half.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "wire/s3_fixture_test.h"
#include "wire/s3_read.h"

namespace pawl::wire {
namespace {

using ::testing::HasSubstr;

constexpr Instant kNow{1'800'000'000'000'000};

std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [header, value] : response.headers) {
    if (header == name) return value;
  }
  return {};
}
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto at = text.find(begin) + begin.size();
  return text.substr(at, text.find(end, at) - at);
}

TEST(S3BadRequests, AnUnknownParameterOfAWriteChangesNothing) {
  S3InMemory s3;
  s3.ask("PUT", "/bucket");
  s3.ask("PUT", "/bucket/k", "kept");
  s3.ask("PUT", "/empty");
  for (const auto& [method, target] :
       std::vector<std::pair<std::string, std::string>>{{"DELETE", "/empty?metadataTable"},
                                                        {"DELETE", "/empty?uploads"},
                                                        {"DELETE", "/empty?acl"},
                                                        {"PUT", "/new?abac"},
                                                        {"PUT", "/new?uploadId=0"},
                                                        {"PUT", "/bucket/k?renameObject"},
                                                        {"PUT", "/bucket/k?delete"},
                                                        {"PUT", "/bucket/k?x-amz-meta-a=b"},
                                                        {"DELETE", "/bucket/k?partNumber=1"},
                                                        {"POST", "/bucket/k?delete"},
                                                        {"POST", "/bucket?uploads"}}) {
    const auto answer = s3.ask(method, target, "", {{"content-type", "application/xml"}});
    EXPECT_EQ(answer.status, 501U) << method << target << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(between(target, "?", "="))) << target;
  }
  EXPECT_EQ(s3.ask("HEAD", "/empty").status, 200U);
  EXPECT_EQ(s3.ask("HEAD", "/new").status, 404U);
  EXPECT_EQ(s3.ask("GET", "/bucket/k?response-content-type=a&unknown=b").body, "kept");
  EXPECT_EQ(s3.ask("PUT", "/bucket/k?x-id=PutObject&x-amz-checksum-crc32=AAAAAA==&AWSAccessKeyId=a",
                   "new")
                .status,
            200U);
}

TEST(S3BadRequests, HowBytesCameIsNotTheirCoding) {
  S3InMemory s3;
  s3.ask("PUT", "/bucket");
  const S3InMemory::Headers framing{{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                                    {"x-amz-decoded-content-length", "5"}};
  for (const auto& [said, kept] :
       std::vector<std::pair<std::string, std::string>>{{"aws-chunked", ""},
                                                        {"gzip,aws-chunked", "gzip"},
                                                        {"aws-chunked,gzip", "gzip"},
                                                        {"gzip, aws-chunked, br", "gzip,br"},
                                                        {"gzip", "gzip"}}) {
    auto headers = framing;
    headers.emplace_back("content-encoding", said);
    EXPECT_EQ(s3.ask("PUT", "/bucket/k", "5\r\nhello\r\n0\r\n\r\n", headers).status, 200U);
    EXPECT_EQ(header_of(s3.ask("GET", "/bucket/k"), "content-encoding"), kept) << said;
  }
}

// Every document, too, must be what was signed, and what its checksums say, also in a trailer.
TEST(S3BadRequests, DocumentsAreWhatIsSaidOfThem) {
  const AccessKey key{"AKID", "secret"};
  S3InMemory signed_s3({key});
  const std::string document =
      "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>"
      "</CreateBucketConfiguration>";
  const auto headers = sigv4::sign_request(key, "us-east-1", "s3", "PUT", "127.0.0.1:8000",
                                           "/bucket", {}, sha256(document).to_hex(), kNow);
  std::string other = document;
  other.replace(other.find("eu-west-1"), 9, "eu-west-2");
  EXPECT_THAT(signed_s3.ask("PUT", "/bucket", other, headers).body,
              HasSubstr("XAmzContentSHA256Mismatch"));
  EXPECT_EQ(signed_s3.ask("PUT", "/bucket", document, headers).status, 200U);

  S3InMemory s3;
  s3.ask("PUT", "/bucket");
  s3.ask("PUT", "/bucket/k", "kept");
  const std::string deletion = "<Delete><Object><Key>k</Key></Object></Delete>";
  char size[20];
  std::snprintf(size, sizeof size, "%zx", deletion.size());
  const auto answer = s3.ask(
      "POST", "/bucket?delete",
      std::string(size) + "\r\n" + deletion + "\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
      {{"content-type", "application/xml"},
       {"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
       {"x-amz-trailer", "x-amz-checksum-crc32"},
       {"x-amz-decoded-content-length", std::to_string(deletion.size())}});
  EXPECT_THAT(answer.body, HasSubstr("BadDigest"));
  EXPECT_EQ(s3.ask("GET", "/bucket/k").body, "kept");
}

// A region comes back in a header: it must not bring one of its own.
TEST(S3BadRequests, ALocationIsARegion) {
  S3InMemory s3;
  const auto make = [&](const std::string& bucket, const std::string& region) {
    return s3.ask("PUT", "/" + bucket,
                  "<CreateBucketConfiguration><LocationConstraint>" + region +
                      "</LocationConstraint></CreateBucketConfiguration>");
  };
  for (const std::string& region :
       {std::string("eu&#13;&#10;X-Evil: 1"), std::string("eu\nX-Evil: 1"), std::string(65, 'e'),
        std::string("\xC3\xA4")}) {
    const auto answer = make("evil", region);
    EXPECT_EQ(answer.status, 400U) << region;
    EXPECT_THAT(answer.body, HasSubstr("InvalidLocationConstraint"));
  }
  EXPECT_EQ(s3.ask("HEAD", "/evil").status, 404U);
  EXPECT_EQ(make("good", "eu-west-1").status, 200U);
  EXPECT_EQ(header_of(s3.ask("HEAD", "/good"), "x-amz-bucket-region"), "eu-west-1");
}

TEST(S3BadRequests, KeysOfADeletionAreKeys) {
  S3InMemory s3;
  s3.ask("PUT", "/bucket");
  const auto remove = [&](const std::string& key) {
    return s3
        .ask("POST", "/bucket?delete", "<Delete><Object><Key>" + key + "</Key></Object></Delete>",
             {{"content-type", "application/xml"}})
        .body;
  };
  EXPECT_THAT(remove(std::string(1025, 'k')), HasSubstr("KeyTooLongError"));
  EXPECT_THAT(remove("\xFF"), HasSubstr("InvalidArgument"));
  EXPECT_THAT(remove(std::string("a\0b", 3)), HasSubstr("InvalidArgument"));
  EXPECT_THAT(remove("absent"), HasSubstr("<Deleted>"));
}

TEST(S3BadRequests, APartHasTheChecksumOfItsUpload) {
  S3InMemory s3;
  s3.ask("PUT", "/bucket");
  const auto begun = s3.ask("POST", "/bucket/k?uploads", "",
                            {{"content-type", "application/xml"},
                             {"x-amz-checksum-algorithm", "CRC32C"},
                             {"x-amz-checksum-type", "FULL_OBJECT"}});
  const std::string target =
      "/bucket/k?partNumber=1&uploadId=" + between(begun.body, "<UploadId>", "</UploadId>");
  const auto refused = s3.ask("PUT", target, "hello", {{"x-amz-checksum-crc32", "NhCmhg=="}});
  EXPECT_EQ(refused.status, 400U);
  EXPECT_THAT(refused.body, HasSubstr("expected checksum Type: crc32c"));
  EXPECT_EQ(s3.ask("PUT", target, "hello", {{"x-amz-checksum-crc32c", "mnG7TA=="}}).status, 200U);
  EXPECT_EQ(s3.ask("PUT", target, "hello").status, 200U);
}

TEST(S3BadRequests, RangesOfACopyAreTakenAtTheirWord) {
  for (const char* odd : {"bytes=", "bytes=1", "bytes=1-", "bytes=-1", "bytes=5-2", "bytes=0-10",
                          "bytes=0-1,3-4", "items=0-1", "0-1", "bytes=0-18446744073709551616"}) {
    const auto range = copy_range_of(odd, 10);
    ASSERT_FALSE(range.ok()) << odd;
    EXPECT_EQ(range.error().code, "InvalidArgument");
  }
  EXPECT_EQ(copy_range_of("", 10)->bytes, 10U);
  EXPECT_EQ(copy_range_of("bytes=2-9", 10)->first, 2U);
  EXPECT_EQ(copy_range_of("bytes=2-9", 10)->bytes, 8U);
  S3InMemory s3;
  s3.ask("PUT", "/bucket");
  s3.ask("PUT", "/bucket/source", "0123456789");
  const auto begun = s3.ask("POST", "/bucket/k?uploads", "", {{"content-type", "application/xml"}});
  const std::string target =
      "/bucket/k?partNumber=1&uploadId=" + between(begun.body, "<UploadId>", "</UploadId>");
  const auto copy = [&](const std::string& range) {
    return s3.ask("PUT", target, "",
                  {{"x-amz-copy-source", "/bucket/source"}, {"x-amz-copy-source-range", range}});
  };
  EXPECT_EQ(copy("bytes=3-").status, 400U);
  EXPECT_EQ(copy("bytes=3-5").status, 200U);
}

// An object in parts whose last is small, read while others overwrite it: what was begun is read to its end.
TEST(S3BadRequests, AReadIsNotCutShortByAnOverwrite) {
  S3InMemory s3;
  s3.ask("PUT", "/bucket");
  const auto begun = s3.ask("POST", "/bucket/k?uploads", "", {{"content-type", "application/xml"}});
  const std::string id = between(begun.body, "<UploadId>", "</UploadId>");
  const std::vector<std::string> parts{std::string(5 << 20, 'a'), "the tail"};
  std::string document;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    const auto put = s3.ask("PUT", "/bucket/k?partNumber=" + number + "&uploadId=" + id, parts[i]);
    document += "<Part><PartNumber>" + number + "</PartNumber><ETag>" + header_of(put, "ETag") +
                "</ETag></Part>";
  }
  ASSERT_EQ(s3.ask("POST", "/bucket/k?uploadId=" + id,
                   "<CompleteMultipartUpload>" + document + "</CompleteMultipartUpload>",
                   {{"content-type", "application/xml"}})
                .status,
            200U);
  const auto got = s3.ask("GET", "/bucket/k");
  ASSERT_TRUE(got.source);
  s3.ask("PUT", "/bucket/k", "other");
  const std::string whole = S3InMemory::bytes_of(got);
  EXPECT_EQ(whole.size(), *got.length);
  EXPECT_TRUE(whole.ends_with("athe tail"));
  EXPECT_EQ(s3.ask("GET", "/bucket/k").body, "other");
}

// A body that is gone though its record is there: an error, not an endless search.
TEST(S3BadRequests, ABodyThatIsGoneIsSaid) {
  S3InMemory s3;
  s3.ask("PUT", "/bucket");
  s3.ask("PUT", "/bucket/k", std::string(5000, 'a'));
  s3.lose_stored_bodies();
  const auto got = s3.ask("GET", "/bucket/k");
  EXPECT_EQ(got.status, 500U);
  EXPECT_THAT(got.body, HasSubstr("its record is not"));
  EXPECT_EQ(s3.ask("PUT", "/bucket/l", "", {{"x-amz-copy-source", "/bucket/k"}}).status, 500U);
}

}  // namespace
}  // namespace pawl::wire
