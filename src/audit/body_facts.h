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
  std::string source;                    // of a guarded table's change; else empty
  std::string key;                       // without white space
  std::optional<std::uint64_t> version;  // absent in a guarded table's change only
  std::string kind;
  std::string instant;
  ImageDigests images;
  std::string new_image;  // JSON, or "null"
  std::string old_image;
};

// Nothing if `body` is no pawl-version/1 and no pawl-version/2 document.
std::optional<BodyFacts> read_body(std::string_view body);

// What an object of Pawl's says that was put back: a pawl-repair/1 document.
struct RepairBodyFacts {
  std::string table;
  std::string name;    // that the object would have had
  std::string source;  // "stream", "old-image", "table"
  std::optional<std::uint64_t> version;
  std::optional<std::uint64_t> image_version;  // as version_in(), by the image
  std::string image;                           // JSON without white space
};
// Nothing if `body` is none.
std::optional<RepairBodyFacts> read_repair_body(std::string_view body, std::string_view attribute);
// The digest of the image in the body of what was put back; nothing if the body does not say what the entry of the repair
// chain says.
std::optional<Digest> image_put_back(std::string_view body, const IncarnationFacts& table,
                                     const LedgerEntry& entry);

// What a guarded table's version is by definition: the attribute's value in the image (the new one, or of a removal the
// old one), if it is a whole number from 0 to 2^53.
std::optional<std::uint64_t> version_in(const BodyFacts& facts, std::string_view attribute);
// Likewise of an image as DynamoDB JSON.
std::optional<std::uint64_t> version_of_image(std::string_view image, std::string_view attribute);

}  // namespace pawl::audit
