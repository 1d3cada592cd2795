// What an object's body says of itself, read by the auditor's own parser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/item_history_check.h"
#include "base/ids.h"

namespace pawl::audit {

// Larger bodies are not read: an item has at most 400 KB, two images of it and JSON's escapes stay
// below.
inline constexpr std::size_t kBodySizeMax = 16 << 20;

struct BodyFacts {
  ShardId shard;
  std::uint64_t sequence = 0;
  std::string key;  // without white space
  std::uint64_t version = 0;
  std::string kind;
  std::string instant;
  ImageDigests images;
  std::string new_image;  // JSON, or "null"
  std::string old_image;
};

// Nothing if `body` is no pawl-version/1 document.
std::optional<BodyFacts> read_body(std::string_view body);

}  // namespace pawl::audit
