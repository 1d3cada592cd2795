// The archive as a bucket: it reads like any other, and nothing changes it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fault/memory_object_shelf.h"
#include "wire/s3_fixture_test.h"

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

class S3Archive : public ::testing::Test {
 protected:
  S3Archive() {
    for (const char* name : {"users/A-0.json", "users/A-1.json", "users/B-0.json", "z"})
      shelf_.put(name, std::string("body of ") + name);
    s3_.ask("PUT", "/mine");
  }
  HttpResponse ask(std::string_view method, std::string_view target, const std::string& body = {},
                   const S3InMemory::Headers& headers = {}) {
    auto response = s3_.ask(method, target, body, headers);
    EXPECT_EQ(s3_.calls, 1) << method << target;
    response.body = S3InMemory::bytes_of(response);
    return response;
  }

  MemoryObjectShelf shelf_;
  S3InMemory s3_{{}, {"archive", &shelf_, {}, {1'600'000'000'000'000}}};
};

TEST_F(S3Archive, ReadsLikeAnyOther) {
  const auto got = ask("GET", "/archive/users/A-1.json");
  EXPECT_EQ(got.status, 200U);
  EXPECT_EQ(got.body, "body of users/A-1.json");
  EXPECT_EQ(header_of(got, "content-type"), "application/json");
  const std::string etag = header_of(got, "ETag");
  EXPECT_TRUE(etag.ends_with("-1\"")) << "no MD5: " << etag;
  EXPECT_NE(etag, header_of(ask("HEAD", "/archive/users/A-0.json"), "ETag"));
  const auto part = ask("GET", "/archive/users/A-1.json", "", {{"range", "bytes=-6"}});
  EXPECT_EQ(part.status, 206U);
  EXPECT_EQ(part.body, "1.json");
  EXPECT_EQ(header_of(part, "Content-Range"), "bytes 16-21/22");
  EXPECT_EQ(ask("GET", "/archive/users/A-1.json", "", {{"if-none-match", etag}}).status, 304U);
  EXPECT_EQ(ask("GET", "/archive/users/A-1.json", "", {{"if-match", "\"other\""}}).status, 412U);
  EXPECT_EQ(ask("GET", "/archive/z", "", {{"range", "bytes=100-"}}).status, 416U);
  EXPECT_EQ(ask("HEAD", "/archive/z").length, 9U);
  EXPECT_EQ(ask("GET", "/archive/users/C-0.json").status, 404U);
  EXPECT_THAT(ask("GET", "/archive/z?tagging").body, HasSubstr("TagSet"));
  EXPECT_EQ(ask("GET", "/archive/z?uploadId=0").status, 404U);
}

TEST_F(S3Archive, IsListed) {
  EXPECT_THAT(ask("GET", "/").body, HasSubstr("<Name>archive</Name><CreationDate>2020-09-13"));
  EXPECT_EQ(ask("HEAD", "/archive").status, 200U);
  const auto page = ask("GET", "/archive?list-type=2&max-keys=2").body;
  EXPECT_THAT(page, HasSubstr("<Key>users/A-0.json</Key>"));
  EXPECT_THAT(page, HasSubstr("<Size>22</Size>"));
  EXPECT_THAT(page, HasSubstr("<IsTruncated>true"));
  EXPECT_THAT(page,
              HasSubstr(header_of(ask("HEAD", "/archive/users/A-0.json"), "ETag").substr(1, 34)));
  EXPECT_THAT(page, Not(HasSubstr("B-0")));
  const auto rolled = ask("GET", "/archive?delimiter=/").body;
  EXPECT_THAT(rolled, HasSubstr("<Prefix>users/</Prefix></CommonPrefixes>"));
  EXPECT_THAT(rolled, HasSubstr("<Key>z</Key>"));
  EXPECT_THAT(rolled, Not(HasSubstr("A-0")));
  EXPECT_THAT(ask("GET", "/archive?marker=users/A-1.json").body, HasSubstr("<Key>users/B-0.json"));
  EXPECT_THAT(ask("GET", "/archive?uploads").body, HasSubstr("<IsTruncated>false"));
  EXPECT_EQ(ask("GET", "/archive?location").status, 200U);
}

TEST_F(S3Archive, NothingChangesIt) {
  const S3InMemory::Headers xml{{"content-type", "application/xml"}};
  for (const auto& [method, target, body] : std::vector<std::array<std::string, 3>>{
           {"PUT", "/archive", ""},
           {"DELETE", "/archive", ""},
           {"PUT", "/archive/users/A-0.json", "other"},
           {"PUT", "/archive/new", "other"},
           {"DELETE", "/archive/users/A-0.json", ""},
           {"POST", "/archive?delete", "<Delete><Object><Key>z</Key></Object></Delete>"},
           {"POST", "/archive/z?uploads", ""},
           {"PUT", "/archive/z?partNumber=1&uploadId=00000000000000000000000000000000", "x"},
           {"PUT", "/archive/z?acl", ""}}) {
    const auto answer = ask(method, target, body, xml);
    EXPECT_EQ(answer.status, 403U) << method << target;
    EXPECT_THAT(answer.body, HasSubstr("AccessDenied"));
    EXPECT_THAT(answer.body, HasSubstr("history is never overwritten"));
  }
  const auto copy = ask("PUT", "/archive/z", "", {{"x-amz-copy-source", "/mine/k"}});
  EXPECT_EQ(copy.status, 403U);
  EXPECT_EQ(shelf_.size(), 4U);
  EXPECT_EQ(ask("GET", "/archive/users/A-0.json").body, "body of users/A-0.json");
}

TEST_F(S3Archive, CopiesOutOfIt) {
  const auto copy = ask("PUT", "/mine/k", "", {{"x-amz-copy-source", "/archive/users/A-0.json"}});
  EXPECT_EQ(copy.status, 200U) << copy.body;
  const auto got = ask("GET", "/mine/k");
  EXPECT_EQ(got.body, "body of users/A-0.json");
  EXPECT_EQ(header_of(got, "content-type"), "application/json");
  EXPECT_THAT(copy.body, HasSubstr(header_of(got, "ETag").substr(1, 32)));
  EXPECT_EQ(header_of(got, "ETag").size(), 34U) << "the MD5 of its bytes";
  const auto begun = ask("POST", "/mine/p?uploads", "", {{"content-type", "application/xml"}}).body;
  const auto id = begun.substr(begun.find("<UploadId>") + 10, 32);
  EXPECT_EQ(ask("PUT", "/mine/p?partNumber=1&uploadId=" + id, "",
                {{"x-amz-copy-source", "/archive/z"}, {"x-amz-copy-source-range", "bytes=0-3"}})
                .status,
            200U);
  EXPECT_EQ(ask("PUT", "/mine/k", "", {{"x-amz-copy-source", "/archive/absent"}}).status, 404U);
}

TEST(S3ArchiveElsewhere, IsReadWhereItIs) {
  S3InMemory s3({}, {"archive", nullptr, "s3://history/pawl", {}});
  for (const char* target : {"/archive", "/archive/k", "/archive?list-type=2"}) {
    const auto answer = s3.ask("GET", target);
    EXPECT_EQ(answer.status, 403U);
    EXPECT_THAT(answer.body, HasSubstr("s3://history/pawl: read it there"));
  }
  EXPECT_EQ(s3.ask("PUT", "/archive").status, 403U);
  EXPECT_THAT(s3.ask("GET", "/").body, Not(HasSubstr("archive")));
  s3.ask("PUT", "/mine");
  EXPECT_EQ(s3.ask("PUT", "/mine/k", "", {{"x-amz-copy-source", "/archive/k"}}).status, 403U);
}

TEST(S3ArchiveElsewhere, WithoutANameItIsAClientsBucket) {
  S3InMemory s3;
  EXPECT_EQ(s3.ask("PUT", "/archive").status, 200U);
  EXPECT_EQ(s3.ask("PUT", "/archive/k", "x").status, 200U);
}

}  // namespace
}  // namespace pawl::wire
