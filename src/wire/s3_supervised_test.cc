// What clients see of a supervised bucket: their objects as ever, what they replaced below .pawl/kept/, and no way to write there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/s3_fixture_test.h"

namespace pawl::wire {
namespace {

using ::testing::HasSubstr;

class SupervisedBucket : public ::testing::Test {
 protected:
  SupervisedBucket() {
    s3_.ask("PUT", "/logs");
    s3_.submit(bucket::Supervise{"logs"});
  }
  HttpResponse post(const std::string& target, const std::string& document = {}) {
    return s3_.ask("POST", target, document, {{"Content-Type", "application/xml"}});
  }
  std::string kept(int number) {
    return S3InMemory::bytes_of(
        s3_.ask("GET", "/logs/.pawl/kept/000000000000000" + std::to_string(number)));
  }
  std::uint64_t count() { return s3_.bucket("logs")->supervised->kept_objects; }
  void expect_denied(const HttpResponse& answer) {
    EXPECT_EQ(answer.status, 403U) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr("<Code>AccessDenied</Code>"));
    EXPECT_THAT(answer.body, HasSubstr("Pawl"));
  }
  std::string begin_upload(const std::string& key) {
    const auto begun = post("/logs/" + key + "?uploads");
    const auto from = begun.body.find("<UploadId>") + 10;
    return begun.body.substr(from, begun.body.find('<', from) - from);
  }

  S3InMemory s3_;
};

TEST_F(SupervisedBucket, KeepsWhatAPutReplaces) {
  s3_.ask("PUT", "/logs/a", "one", {{"Content-Type", "text/plain"}});
  s3_.ask("PUT", "/logs/a", "two");
  s3_.ask("PUT", "/logs/a", std::string(100'000, 'x'));
  s3_.ask("PUT", "/logs/a", "four");
  EXPECT_EQ(s3_.ask("GET", "/logs/a").body, "four");
  EXPECT_EQ(count(), 3U);
  EXPECT_EQ(kept(1), "one");
  EXPECT_EQ(kept(2), "two");
  EXPECT_EQ(kept(3), std::string(100'000, 'x'));
  EXPECT_EQ(s3_.bucket("logs")->supervised->kept_bytes, 100'006U);
  const auto list = s3_.ask("GET", "/logs?list-type=2&prefix=.pawl/");
  EXPECT_THAT(list.body, HasSubstr("<Key>.pawl/kept/0000000000000003</Key>"));
}

TEST_F(SupervisedBucket, ARetryOfTheSameBytesKeepsNothing) {
  for (const std::string& body : {std::string("one"), std::string(30'000, 'm')}) {
    s3_.ask("PUT", "/logs/a" + std::to_string(body.size()), body);
    s3_.ask("PUT", "/logs/a" + std::to_string(body.size()), body);
  }
  EXPECT_EQ(count(), 0U);
  // Of a large one a digest must say that it is the same.
  const std::string large(100'000, 'l');
  const S3InMemory::Headers asked{{"x-amz-sdk-checksum-algorithm", "SHA256"}};
  s3_.ask("PUT", "/logs/large", large, asked);
  s3_.ask("PUT", "/logs/large", large, asked);
  EXPECT_EQ(count(), 0U);
  s3_.ask("PUT", "/logs/large", large);
  EXPECT_EQ(count(), 1U);
}

TEST_F(SupervisedBucket, KeepsWhatACopyReplaces) {
  s3_.ask("PUT", "/logs/a", "one");
  s3_.ask("PUT", "/logs/other", "two");
  EXPECT_EQ(s3_.ask("PUT", "/logs/a", "", {{"x-amz-copy-source", "/logs/other"}}).status, 200U);
  EXPECT_EQ(kept(1), "one");
  // What is kept can be copied back; the copy is an object like any other.
  const S3InMemory::Headers back{{"x-amz-copy-source", "/logs/.pawl/kept/0000000000000001"}};
  EXPECT_EQ(s3_.ask("PUT", "/logs/a", "", back).status, 200U);
  EXPECT_EQ(s3_.ask("GET", "/logs/a").body, "one");
  EXPECT_EQ(kept(2), "two");
  s3_.ask("PUT", "/logs/a", "three");
  EXPECT_EQ(kept(3), "one");
}

TEST_F(SupervisedBucket, KeepsWhatACompletedUploadReplaces) {
  s3_.ask("PUT", "/logs/a", "one");
  const std::string id = begin_upload("a");
  const auto part = s3_.ask("PUT", "/logs/a?partNumber=1&uploadId=" + id, "in parts");
  std::string etag;
  for (const auto& [name, value] : part.headers) {
    if (name == "ETag") etag = value;
  }
  const auto done = post("/logs/a?uploadId=" + id,
                         "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + etag +
                             "</ETag></Part></CompleteMultipartUpload>");
  EXPECT_EQ(done.status, 200U) << done.body;
  EXPECT_EQ(kept(1), "one");
  s3_.ask("DELETE", "/logs/a");
  EXPECT_EQ(kept(2), "in parts");
}

TEST_F(SupervisedBucket, KeepsWhatIsDeleted) {
  s3_.ask("PUT", "/logs/a", "one");
  s3_.ask("PUT", "/logs/c", "two");
  EXPECT_EQ(s3_.ask("DELETE", "/logs/a").status, 204U);
  EXPECT_EQ(s3_.ask("DELETE", "/logs/a").status, 204U);
  EXPECT_EQ(s3_.ask("GET", "/logs/a").status, 404U);
  const auto deleted = post(
      "/logs?delete",
      "<Delete><Object><Key>c</Key></Object><Object><Key>.pawl/kept/0000000000000001</Key></Object>"
      "</Delete>");
  EXPECT_THAT(deleted.body, HasSubstr("<Deleted><Key>c</Key></Deleted>"));
  EXPECT_THAT(deleted.body,
              HasSubstr("<Error><Key>.pawl/kept/0000000000000001</Key><Code>AccessDenied</Code>"));
  EXPECT_EQ(count(), 2U);
  EXPECT_EQ(kept(1), "one");
  EXPECT_EQ(kept(2), "two");
}

TEST_F(SupervisedBucket, NobodyWritesBelowPawlsPrefix) {
  s3_.ask("PUT", "/logs/a", "one");
  for (const std::string key : {".pawl/kept/0000000000000001", ".pawl/archive.json", ".pawl/x"}) {
    const std::string target = "/logs/" + key;
    expect_denied(s3_.ask("PUT", target, "mine"));
    expect_denied(s3_.ask("PUT", target, std::string(100'000, 'x')));
    expect_denied(s3_.ask("PUT", target, "", {{"x-amz-copy-source", "/logs/a"}}));
    expect_denied(s3_.ask("DELETE", target));
    expect_denied(post(target + "?uploads"));
    EXPECT_EQ(s3_.ask("GET", target).status, 404U);
  }
  EXPECT_EQ(s3_.ask("PUT", "/logs/.pawlx", "theirs").status, 200U);
  s3_.ask("PUT", "/other");
  EXPECT_EQ(s3_.ask("PUT", "/other/.pawl/x", "theirs").status, 200U);
}

TEST_F(SupervisedBucket, AnUploadThatIsOlderThanSupervisionDoesNotGoThere) {
  s3_.ask("PUT", "/later");
  const auto begun = post("/later/.pawl/tip?uploads");
  const auto from = begun.body.find("<UploadId>") + 10;
  const auto id = begun.body.substr(from, begun.body.find('<', from) - from);
  const auto part = s3_.ask("PUT", "/later/.pawl/tip?partNumber=1&uploadId=" + id, "forged");
  std::string etag;
  for (const auto& [name, value] : part.headers) {
    if (name == "ETag") etag = value;
  }
  s3_.submit(bucket::Supervise{"later"});
  expect_denied(post("/later/.pawl/tip?uploadId=" + id,
                     "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + etag +
                         "</ETag></Part></CompleteMultipartUpload>"));
}

TEST_F(SupervisedBucket, IsNotDeleted) {
  expect_denied(s3_.ask("DELETE", "/logs"));
  EXPECT_THAT(s3_.ask("DELETE", "/logs").body, HasSubstr("supervised"));
  EXPECT_EQ(s3_.ask("HEAD", "/logs").status, 200U);
}

}  // namespace
}  // namespace pawl::wire
