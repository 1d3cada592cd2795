// The event that a function is called with: records of one shard, each as stream/record_json.h writes it, in a frame. One form for
// what a mapping delivers and for what is delivered once more.
#pragma once

#include <string_view>

#include "stream/record_json.h"
#include "trigger/mapping.h"

namespace pawl::trigger {

inline constexpr std::string_view kEventBegin = R"({"Records":[)";
inline constexpr std::string_view kEventEnd = "]}";

// Views of `source`.
inline stream::RecordForm form_of(const MappingSource& source, std::uint32_t shard) {
  return {.region = source.region(),
          .view = source.view,
          .shows_new = source.shows_new(),
          .shows_old = source.shows_old(),
          .shard = source.shard(shard),
          .source_arn = source.arn};
}

}  // namespace pawl::trigger
