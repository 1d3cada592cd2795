// The JSON body of a request, parsed by a parser that keeps its memory for the next one.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string_view>

#include "wire/service_error.h"

namespace pawl::wire {

// Of JSON. An item's 32 levels take two each ({"M":{…}}), and stand four or so deep in a request.
inline constexpr std::size_t kJsonDepthMax = 128;

// One a thread.
class RequestJson {
 public:
  explicit RequestJson(std::size_t depth_max = kJsonDepthMax) : depth_max_(depth_max) {}

  // The document lives until the next call. `body` is followed by kBodyPadding bytes. Errors: SerializationException.
  ServiceResult<simdjson::dom::element> parse(std::string_view body);
  // After each request: gives back the memory that a giant needed.
  void give_back(std::size_t body_bytes);

 private:
  std::size_t depth_max_;
  std::optional<simdjson::dom::parser> parser_;
};

}  // namespace pawl::wire
