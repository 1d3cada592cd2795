// The files that AWS tools keep in ~/.aws: `config` and `credentials` (AWS SDKs and Tools Reference Guide, "Shared config
// and credentials files").
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pawl {

// A section's settings. A nested one ("s3 =", then an indented "endpoint_url = …") is named "s3.endpoint_url".
using AwsSection = std::map<std::string, std::string, std::less<>>;
// "[profile p]" is "profile p", "[default]" is "default"; a section that comes twice is one.
using AwsProfileFile = std::map<std::string, AwsSection, std::less<>>;

inline constexpr std::size_t kAwsFileBytesMax = std::size_t{1} << 20;

// `name` is for messages. Errors: kInvalid, naming the line, which is not shown: it may hold a secret.
Result<AwsProfileFile> parse_aws_profile_file(std::string_view text, std::string_view name);

}  // namespace pawl
