#include "adapter/json_answer.h"

#include <algorithm>
#include <cmath>

namespace pawl {

using simdjson::SUCCESS;

bool walk_json(std::string_view json, const std::function<bool(JsonObject)>& visit) {
  if (json.size() > kJsonAnswerBytesMax) return false;
  const simdjson::padded_string padded(json);
  // The walk passes over what it does not look at, so this one looks at everything.
  simdjson::dom::parser checker;
  constexpr std::size_t kLeast = 64;
  if (checker.allocate(std::max(json.size(), kLeast), kJsonAnswerDepthMax) != SUCCESS) return false;
  if (checker.parse(padded).error() != SUCCESS) return false;
  simdjson::ondemand::parser walker;
  simdjson::ondemand::document document;
  JsonObject object;
  if (walker.iterate(padded).get(document) != SUCCESS) return false;
  if (document.get_object().get(object) != SUCCESS) return false;
  return visit(object);
}

Error misshapen_answer(std::string_view what) {
  return {ErrorCode::kCorrupt,
          std::string("the answer is not of the shape that ").append(what).append(" has"),
          "is the endpoint one of DynamoDB's API?"};
}

bool read_text(JsonValue value, std::size_t size_max, std::string& out) {
  std::string_view text;
  if (value.get_string().get(text) != SUCCESS || text.size() > size_max) return false;
  out = text;
  return true;
}

bool read_object_bytes(JsonValue value, std::string& out) {
  JsonObject object;
  std::string_view bytes;
  if (value.get_object().get(object) != SUCCESS || object.raw_json().get(bytes) != SUCCESS)
    return false;
  const auto end = bytes.rfind('}');
  if (end == std::string_view::npos) return false;
  out = bytes.substr(0, end + 1);
  return true;
}

bool read_count(JsonValue value, std::uint64_t& out) {
  return value.get_uint64().get(out) == SUCCESS;
}

bool read_flag(JsonValue value, bool& out) { return value.get_bool().get(out) == SUCCESS; }

bool read_seconds(JsonValue value, Instant& out) {
  constexpr double kEnd = 253'402'300'800.0;  // 10000-01-01
  double seconds = 0;
  if (value.get_double().get(seconds) != SUCCESS || !(seconds >= 0 && seconds < kEnd)) return false;
  out.microseconds = std::llround(seconds * 1e6);
  return true;
}

}  // namespace pawl
