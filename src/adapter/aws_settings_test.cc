#include "adapter/aws_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "adapter/aws_credential_source.h"
#include "adapter/aws_profile_file.h"
#include "adapter/s3_listing.h"
#include "adapter/s3_location.h"

namespace pawl {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Surroundings {
  std::map<std::string, std::string> variables{{"HOME", "/home/p"}};
  std::map<std::string, std::string> files;

  AwsSurroundings make() const {
    AwsSurroundings from;
    from.variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
    from.file = [this](const std::string& path) -> Result<std::optional<std::string>> {
      const auto found = files.find(path);
      if (found == files.end()) return std::optional<std::string>{};
      return std::optional<std::string>(found->second);
    };
    return from;
  }
  Result<AwsSettings> load() const { return load_aws_settings(make(), "s3"); }
};

TEST(AwsProfileFile, ReadsWhatAwsConfigureWrites) {
  const auto file = parse_aws_profile_file(
      "# a comment\n[default]\nregion = eu-north-1\n\n[profile  p]\nREGION=us-west-2\ns3 =\n    "
      "endpoint_url = "
      "http://h\n    x = 1\noutput=json\r\n[services s]\ns3 =\n  endpoint_url = "
      "http://s\n[default]\na = b=c\n",
      "config");
  ASSERT_TRUE(file.ok()) << file.error().to_string();
  EXPECT_EQ(file->at("default").at("region"), "eu-north-1");
  EXPECT_EQ(file->at("default").at("a"), "b=c");
  EXPECT_EQ(file->at("profile p").at("region"), "us-west-2");
  EXPECT_EQ(file->at("profile p").at("s3.endpoint_url"), "http://h");
  EXPECT_EQ(file->at("profile p").at("output"), "json");
  EXPECT_EQ(file->at("services s").at("s3.endpoint_url"), "http://s");
}

TEST(AwsProfileFile, ErrorsNameTheLineAndShowNothingOfIt) {
  for (const char* text :
       {"[default]\naws_secret_access_key SECRET\n", "\naws_secret_access_key = SECRET\n",
        "[default]\n= SECRET\n", "[default]\n[SECRET\n"}) {
    const auto file = parse_aws_profile_file(text, "credentials");
    ASSERT_FALSE(file.ok()) << text;
    EXPECT_THAT(file.error().to_string(), HasSubstr("credentials, line "));
    EXPECT_THAT(file.error().to_string(), Not(HasSubstr("SECRET")));
  }
}

TEST(AwsSettings, TheEnvironmentGoesFirst) {
  Surroundings world;
  world.files["/home/p/.aws/config"] =
      "[default]\nregion = eu-north-1\nendpoint_url = http://config\n";
  world.files["/home/p/.aws/credentials"] =
      "[default]\naws_access_key_id = FILE\naws_secret_access_key = FILESECRET\n";
  auto settings = world.load();
  ASSERT_TRUE(settings.ok()) << settings.error().to_string();
  EXPECT_EQ(settings->region, "eu-north-1");
  EXPECT_EQ(settings->endpoint, "http://config");
  EXPECT_EQ(settings->credentials->key_id, "FILE");
  EXPECT_EQ(settings->credentials->secret.reveal(), "FILESECRET");
  world.variables["AWS_DEFAULT_REGION"] = "us-east-2";
  world.variables["AWS_ENDPOINT_URL"] = "http://all";
  world.variables["AWS_ACCESS_KEY_ID"] = "ENV";
  world.variables["AWS_SECRET_ACCESS_KEY"] = "ENVSECRET";
  world.variables["AWS_SESSION_TOKEN"] = "TOKEN";
  settings = world.load();
  EXPECT_EQ(settings->region, "us-east-2");
  EXPECT_EQ(settings->endpoint, "http://all");
  EXPECT_EQ(settings->credentials->key_id, "ENV");
  EXPECT_EQ(settings->credentials->session_token.reveal(), "TOKEN");
  world.variables["AWS_REGION"] = "us-east-1";
  world.variables["AWS_ENDPOINT_URL_S3"] = "http://s3";
  settings = world.load();
  EXPECT_EQ(settings->region, "us-east-1");
  EXPECT_EQ(settings->endpoint, "http://s3");
  world.variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(world.load()->endpoint, "");
}

TEST(AwsSettings, ProfilesAndServices) {
  Surroundings world;
  world.files["/etc/c"] =
      "[default]\nregion=r0\n[profile "
      "p]\nregion=r1\nservices=s\nendpoint_url=http://p\naws_access_key_id=K\n"
      "aws_secret_access_key=S\n[services s]\ns3 =\n  endpoint_url = http://s3\ndynamodb =\n  "
      "endpoint_url = http://d\n";
  world.variables["AWS_CONFIG_FILE"] = "/etc/c";
  world.variables["AWS_PROFILE"] = "p";
  const auto settings = world.load();
  ASSERT_TRUE(settings.ok()) << settings.error().to_string();
  EXPECT_EQ(settings->region, "r1");
  EXPECT_EQ(settings->endpoint, "http://s3");
  EXPECT_EQ(settings->credentials->key_id, "K");
  EXPECT_EQ(load_aws_settings(world.make(), "dynamodb")->endpoint, "http://d");
  world.variables["AWS_PROFILE"] = "q";
  EXPECT_EQ(world.load().error().code, ErrorCode::kNotFound);
}

TEST(AwsSettings, WhatIsNotSupportedIsRefusedByName) {
  for (const char* setting :
       {"role_arn = arn:aws:iam::1:role/r\nsource_profile = x", "sso_session = s",
        "credential_process = /bin/x", "web_identity_token_file = /t"}) {
    Surroundings world;
    world.files["/home/p/.aws/config"] = std::string("[default]\n") + setting + "\n";
    const auto settings = world.load();
    ASSERT_FALSE(settings.ok()) << setting;
    EXPECT_EQ(settings.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(settings.error().message, HasSubstr("can't do yet"));
  }
  Surroundings half;
  half.variables["AWS_ACCESS_KEY_ID"] = "K";
  EXPECT_EQ(half.load().error().code, ErrorCode::kInvalid);
}

TEST(AwsSettings, ContainersAndInstancesAreAsked) {
  Surroundings world;
  EXPECT_EQ(world.load()->service->url, "http://169.254.169.254");
  world.variables["AWS_EC2_METADATA_DISABLED"] = "true";
  EXPECT_FALSE(world.load()->service.has_value());
  world.variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/x";
  EXPECT_EQ(world.load()->service->url, "http://169.254.170.2/v2/x");
  world.variables.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  for (const char* url : {"http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1",
                          "http://localhost:80/", "https://anywhere.example/"}) {
    world.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    EXPECT_EQ(world.load()->service->url, url);
  }
  for (const char* url : {"http://evil.example/", "http://169.254.170.2.evil.example/",
                          "ftp://localhost/", "http://localhost@evil.example/"}) {
    world.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    EXPECT_FALSE(world.load().ok()) << url;
  }
}

TEST(Secret, DoesNotPrint) {
  std::ostringstream out;
  out << Secret("SECRET") << testing::PrintToString(Secret("SECRET"));
  EXPECT_THAT(out.str(), Not(HasSubstr("SECRET")));
}

TEST(CredentialAnswer, IsReadAndItsErrorsShowNothing) {
  const auto good = parse_credential_answer(
      R"({"Code":"Success","AccessKeyId":"K","SecretAccessKey":"S","Token":"T","Expiration":"2026-11-22T18:00:00Z"})");
  ASSERT_TRUE(good.ok()) << good.error().to_string();
  EXPECT_EQ(good->key_id, "K");
  EXPECT_EQ(good->expires, Instant::parse("2026-11-22T18:00:00Z"));
  for (const char* text :
       {"", "[]", "{}", R"({"Code":"Failed","SecretAccessKey":"SECRET"})",
        R"({"AccessKeyId":"K","SecretAccessKey":"SECRET","Token":"T","Expiration":"soon"})",
        R"({"AccessKeyId":7,"SecretAccessKey":"SECRET","Token":"T"})"}) {
    const auto bad = parse_credential_answer(text);
    ASSERT_FALSE(bad.ok()) << text;
    EXPECT_THAT(bad.error().to_string(), Not(HasSubstr("SECRET")));
  }
}

TEST(S3Location, ParsesAndBounds) {
  const auto location = parse_s3_url("s3://bucket/a/b/");
  ASSERT_TRUE(location.ok());
  EXPECT_EQ(location->bucket, "bucket");
  EXPECT_EQ(location->key_of("x"), "a/b/x");
  EXPECT_EQ(location->to_string(), "s3://bucket/a/b");
  EXPECT_EQ(parse_s3_url("s3://bucket")->key_of("x"), "x");
  for (const std::string url :
       {"s3://", "s3://b", "s3:///a", "s3://buc ket/a", "s3://bucket/a//b", "s3://bucket/../b",
        "s3://bucket/.pawl", "http://bucket", "s3://../x"}) {
    EXPECT_FALSE(parse_s3_url(url).ok()) << url;
  }
  EXPECT_FALSE(parse_s3_url("s3://bucket/" + std::string(65, 'p')).ok());
}

TEST(S3Endpoint, IsAmazonsOrAsGiven) {
  const S3Location location{"bucket", ""};
  EXPECT_EQ(resolve_s3_endpoint(location, "", "eu-north-1")->origin,
            "https://bucket.s3.eu-north-1.amazonaws.com");
  EXPECT_EQ(resolve_s3_endpoint({"b.c", ""}, "", "us-east-1")->base_path, "/b.c");
  EXPECT_FALSE(resolve_s3_endpoint(location, "", "").ok());
  const auto given = resolve_s3_endpoint(location, "http://127.0.0.1:7480/", "");
  EXPECT_EQ(given->origin, "http://127.0.0.1:7480");
  EXPECT_EQ(given->host, "127.0.0.1:7480");
  EXPECT_EQ(given->base_path, "/bucket");
  EXPECT_EQ(given->region, "us-east-1");
  EXPECT_EQ(resolve_s3_endpoint(location, "https://h:443", "")->host, "h");
  for (const char* bad :
       {"127.0.0.1", "ftp://h", "http://", "http://u@h", "http://h?x", "http://h\r\nX: y"}) {
    EXPECT_FALSE(resolve_s3_endpoint(location, bad, "").ok()) << bad;
  }
}

TEST(S3Listing, ReadsPagesAndRefusesNonsense) {
  const auto page = parse_list_answer(
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</"
      "NextContinuationToken>"
      "<Contents><Key>a&amp;b</Key><Size>12</Size><ETag>x</ETag></Contents>"
      "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>");
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->objects.size(), 1U);
  EXPECT_EQ(page->objects[0].key, "a&b");
  EXPECT_EQ(page->objects[0].size, 12U);
  EXPECT_EQ(page->prefixes, std::vector<std::string>{"p/"});
  EXPECT_EQ(page->next_token, "t");
  for (const char* bad :
       {"<Other/>", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        "x"}) {
    EXPECT_FALSE(parse_list_answer(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace pawl
