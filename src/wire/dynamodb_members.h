// The members of a JSON object of a request, read with the types that the service model gives them.
//
// A member that is null counts as absent, and unknown members are ignored, as in the service. A wrong type is a
// SerializationException, as in the service; so is a name that comes twice, of which the service silently
// takes the last: nothing that a client sent is dropped in silence here (as in item/dynamodb_json.h).
// Views and elements point into the parsed document.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/service_error.h"

namespace pawl::wire {

class Members {
 public:
  static ServiceResult<Members> of(simdjson::dom::element element);

  const simdjson::dom::element* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }

  ServiceResult<std::optional<std::string_view>> string(std::string_view name) const;
  ServiceResult<std::optional<bool>> boolean(std::string_view name) const;
  ServiceResult<std::optional<std::int64_t>> integer(std::string_view name) const;
  ServiceResult<std::optional<Members>> structure(std::string_view name) const;
  ServiceResult<std::optional<simdjson::dom::array>> list(std::string_view name) const;
  // Its entries in byte order of their keys.
  using Map = std::map<std::string_view, simdjson::dom::element>;
  ServiceResult<std::optional<Map>> map(std::string_view name) const;

 private:
  std::vector<std::pair<std::string_view, simdjson::dom::element>> members_;
};

}  // namespace pawl::wire
