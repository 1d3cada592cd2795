#include "wire/lambda_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/http_message.h"
#include "wire/lambda_error.h"
#include "wire/lambda_service.h"
#include "wire/request_json.h"

namespace pawl::wire {
namespace {

using testing::HasSubstr;

// Kept until the next: what is parsed needs bytes behind it.
std::string_view padded(std::string text) {
  static std::string kept;
  kept = std::move(text);
  kept.reserve(kept.size() + kBodyPadding);
  return kept;
}

std::string create_with(const std::string& more,
                        const std::string& code = R"({"ZipFile":"UEs="})") {
  return R"({"FunctionName":"archive","Runtime":"python3.11","Role":"r","Handler":"h.f","Code":)" +
         code + more + "}";
}

std::string refusal_of(const std::string& body, std::string_view type) {
  const auto input = parse_create_function(padded(body));
  if (input.ok()) return "it was taken: " + body;
  EXPECT_EQ(input.error().type, type) << body;
  return input.error().message;
}

TEST(LambdaInput, APayloadMayBeDeep) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(check_payload(padded(nested(kJsonDepthMax + 1))).ok());
  EXPECT_TRUE(check_payload(padded(nested(kPayloadDepthMax - 1))).ok());
  EXPECT_FALSE(check_payload(padded(nested(kPayloadDepthMax + 1))).ok()) << "bounded all the same";
}

TEST(LambdaInput, TakesWhatClientsSend) {
  const auto input = parse_create_function(padded(create_with(
      R"(,"Timeout":900,"MemorySize":512,"Environment":{"Variables":{"BUCKET":"b"}},"Publish":false,"VpcConfig":{"SubnetIds":[],"SecurityGroupIds":[]},"PackageType":"Zip","Layers":[],"Tags":{},"TracingConfig":{"Mode":"PassThrough"},"EphemeralStorage":{"Size":512},"Description":"d")")));
  ASSERT_TRUE(input.ok()) << input.error().message;
  EXPECT_EQ(input->name, "archive");
  EXPECT_EQ(input->zip, "PK");
  EXPECT_EQ(input->settings.timeout, std::chrono::seconds(900));
  EXPECT_EQ(input->settings.memory_mb, 512U);
  EXPECT_EQ(input->settings.environment.at("BUCKET"), "b");
  EXPECT_EQ(input->settings.description, "d");
}

TEST(LambdaInput, DefaultsAreTheServices) {
  const auto input = parse_create_function(padded(create_with("")));
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->settings.timeout, std::chrono::seconds(3));
  EXPECT_EQ(input->settings.memory_mb, 128U);
}

TEST(LambdaInput, NamesWhatPawlDoesNotHave) {
  const std::vector<std::pair<std::string, std::string>> all{
      {R"(,"Layers":["arn"])", "Layers"},
      {R"(,"VpcConfig":{"SubnetIds":["s"]})", "VpcConfig"},
      {R"(,"Tags":{"a":"b"})", "Tags"},
      {R"(,"Publish":true)", "Publish"},
      {R"(,"PackageType":"Image")", "PackageType"},
      {R"(,"Architectures":["mips"])", "architecture"},
      {R"(,"TracingConfig":{"Mode":"Active"})", "TracingConfig"},
      {R"(,"SnapStart":{"ApplyOn":"PublishedVersions"})", "SnapStart"},
      {R"(,"EphemeralStorage":{"Size":1024})", "EphemeralStorage"},
      {R"(,"DeadLetterConfig":{"TargetArn":"q"})", "DeadLetterConfig"},
      {R"(,"SomethingNew":1)", "SomethingNew"}};
  for (const auto& [more, name] : all) {
    EXPECT_THAT(refusal_of(create_with(more), lambda_errors::kUnsupported), HasSubstr(name));
  }
  EXPECT_THAT(
      refusal_of(create_with("", R"({"S3Bucket":"b","S3Key":"k"})"), lambda_errors::kUnsupported),
      HasSubstr("S3Bucket"));
}

TEST(LambdaInput, RefusesWhatIsWrong) {
  for (const char* const more :
       {R"(,"Timeout":0)", R"(,"Timeout":901)", R"(,"Timeout":"3")", R"(,"Timeout":1.5)",
        R"(,"MemorySize":127)", R"(,"MemorySize":10241)",
        R"(,"Environment":{"Variables":{"AWS_REGION":"x"}})",
        R"(,"Environment":{"Variables":{"1A":"x"}})", R"(,"Environment":{"Variables":{"A_":1}})",
        R"(,"Environment":{"Variables":[]})", R"(,"Environment":"x")"}) {
    EXPECT_THAT(refusal_of(create_with(more), lambda_errors::kInvalidParameter),
                testing::Not(HasSubstr("it was taken")));
  }
  const std::string large(5'000, 'x');
  EXPECT_THAT(refusal_of(create_with(R"(,"Environment":{"Variables":{"BIG":")" + large + R"("}})"),
                         lambda_errors::kInvalidParameter),
              HasSubstr("4KB"));
  for (const char* const code :
       {R"({"ZipFile":"*"})", R"({"ZipFile":""})", R"({"ZipFile":7})", "{}", R"("x")"}) {
    EXPECT_THAT(refusal_of(create_with("", code), lambda_errors::kInvalidParameter),
                testing::Not(HasSubstr("it was taken")));
  }
  for (const char* const body : {"", "[]", "{", "\"x\"", "nonsense"}) {
    EXPECT_THAT(refusal_of(body, lambda_errors::kInvalidContent),
                testing::Not(HasSubstr("it was taken")));
  }
  for (
      const char* const body :
      {"{}", R"({"FunctionName":"a"})",
       R"({"FunctionName":"../a","Runtime":"python3.11","Role":"r","Handler":"h.f","Code":{"ZipFile":"UEs="}})",
       R"({"FunctionName":"a","Runtime":"cobol","Role":"r","Handler":"h.f","Code":{"ZipFile":"UEs="}})",
       R"({"FunctionName":"a","Runtime":"python3.11","Handler":"h.f","Code":{"ZipFile":"UEs="}})",
       R"({"FunctionName":"a","Role":"r","Handler":"h.f","Code":{"ZipFile":"UEs="}})"}) {
    EXPECT_THAT(refusal_of(body, lambda_errors::kInvalidParameter),
                testing::Not(HasSubstr("it was taken")));
  }
}

TEST(LambdaInput, ChangesOnlyWhatIsNamed) {
  const auto input = parse_update_settings(padded(R"({"Timeout":7,"RevisionId":"r"})"));
  ASSERT_TRUE(input.ok());
  function::FunctionSettings settings;
  settings.handler = "before";
  settings.environment = {{"A", "b"}};
  input->apply(settings);
  EXPECT_EQ(settings.timeout, std::chrono::seconds(7));
  EXPECT_EQ(settings.handler, "before");
  EXPECT_EQ(settings.environment.size(), 1U);
  const auto cleared = parse_update_settings(padded(R"({"Environment":{"Variables":{}}})"));
  cleared->apply(settings);
  EXPECT_TRUE(settings.environment.empty());
}

TEST(LambdaInput, NamesInEveryForm) {
  for (const char* const text :
       {"archive", "function:archive", "000000000000:function:archive",
        "arn:aws:lambda:us-east-1:000000000000:function:archive",
        "arn:aws:lambda:us-east-1:000000000000:function:archive:$LATEST",
        "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aarchive"}) {
    const auto name = function_name_of(text);
    ASSERT_TRUE(name.ok()) << text << ": " << name.error().message;
    EXPECT_EQ(*name, "archive");
  }
  for (const char* const text :
       {"", ".", "a/b", "a%2Fb", "a b", "archive:1", "archive:PROD", "\xff"}) {
    EXPECT_FALSE(function_name_of(text).ok()) << text;
  }
}

TEST(LambdaPaths, AreDated) {
  EXPECT_TRUE(is_lambda_path("/2015-03-31/functions?x=1"));
  EXPECT_TRUE(is_lambda_path("/2017-10-31/functions/a/concurrency"));
  for (const char* const other :
       {"/", "/bucket/2015-03-31/x", "/2015-03-31", "/2015-3-31/functions", "/abcd-ef-gh/x"}) {
    EXPECT_FALSE(is_lambda_path(other)) << other;
  }
}

}  // namespace
}  // namespace pawl::wire
