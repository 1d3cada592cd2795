// ListObjectsV2, a page at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapter/s3_client.h"

namespace pawl {

inline constexpr std::size_t kS3ListMax = 1000;  // keys a page: what S3 gives at most

struct S3ListRequest {
  std::string prefix;       // of keys, the archive's own prefix included
  std::string delimiter;    // "/" for one folder
  std::string start_after;  // keys after this one
  std::string token;        // of the page before; then start_after counts no more
  std::size_t keys_max = kS3ListMax;
};

struct S3ListPage {
  struct Object {
    std::string key;
    std::uint64_t size = 0;
  };
  std::vector<Object> objects;        // in byte order of keys
  std::vector<std::string> prefixes;  // that the delimiter ended
  std::string next_token;             // "" = this was the last page
};

// Errors: kInvalid where the answer is not what S3 would give.
Result<S3ListPage> parse_list_answer(std::string_view xml);

Awaitable<Result<S3ListPage>> list_objects(S3Client& client, S3ListRequest request);

}  // namespace pawl
