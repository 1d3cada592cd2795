// Walks the JSON of a service's answer once, in its own order, and gives parts of it on as the very bytes that came.
// Whatever is not of the expected shape makes the whole walk false: an answer is taken whole or not at all.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/instant.h"
#include "base/result.h"

namespace pawl {

inline constexpr std::size_t kJsonAnswerBytesMax = std::size_t{16} << 20;
// An item nests 32 deep (service quotas, "Nested attribute depth"), which is twice that in its JSON, and an answer wraps it.
inline constexpr std::size_t kJsonAnswerDepthMax = 128;

using JsonValue = simdjson::ondemand::value;
using JsonObject = simdjson::ondemand::object;

// False if `json` is no object, is invalid anywhere (also where nobody looks), too large or too deep; else what `visit` says
// of it. What visit is given lives for that call only.
bool walk_json(std::string_view json, const std::function<bool(JsonObject)>& visit);

// kCorrupt: the answer is not of the shape that `what` has.
Error misshapen_answer(std::string_view what);

// Calls visit(name, value) for each member that is not null, in order. A visit need not look at the value.
template <typename Visit>
bool each_member(JsonObject object, Visit visit) {
  for (auto found : object) {
    simdjson::ondemand::field field;
    if (std::move(found).get(field) != simdjson::SUCCESS) return false;
    std::string_view name;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS) return false;
    JsonValue value = field.value();
    bool null = false;
    if (value.is_null().get(null) != simdjson::SUCCESS) return false;
    if (!null && !visit(name, value)) return false;
  }
  return true;
}

// The same for a value that has to be an object.
template <typename Visit>
bool each_member(JsonValue value, Visit visit) {
  JsonObject object;
  return value.get_object().get(object) == simdjson::SUCCESS && each_member(object, visit);
}

// Calls visit(element) for each element of a value that has to be an array of at most `count_max`.
template <typename Visit>
bool each_element(JsonValue value, std::size_t count_max, Visit visit) {
  simdjson::ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return false;
  std::size_t count = 0;
  for (auto found : array) {
    if (found.error() != simdjson::SUCCESS || ++count > count_max) return false;
    if (!visit(JsonValue(found.value_unsafe()))) return false;
  }
  return true;
}

// A string of at most `size_max` bytes; out is what it says, without its escapes.
bool read_text(JsonValue value, std::size_t size_max, std::string& out);
// An object, as it was sent, without the white space around it.
bool read_object_bytes(JsonValue value, std::string& out);
bool read_count(JsonValue value, std::uint64_t& out);
bool read_flag(JsonValue value, bool& out);
// Seconds since 1970, whole or not, up to the year 9999.
bool read_seconds(JsonValue value, Instant& out);

}  // namespace pawl
