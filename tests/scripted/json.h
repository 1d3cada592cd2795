// Members of JSON requests, with the errors that a wrong request deserves.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scripted {

using Json = simdjson::dom::element;

// Parses one document; it stays valid until this thread parses the next one. Throws Refusal (SerializationException).
Json parse_json(std::string_view text);

// A member; nothing if it isn't there or null.
std::optional<Json> member(const Json& object, std::string_view name);

// Texts, whole numbers, numbers and truths; the second throws Refusal where the member isn't there, both where it is of
// another type.
std::string_view text_or(const Json& object, std::string_view name, std::string_view otherwise);
std::string_view text_of(const Json& object, std::string_view name);
std::uint64_t count_or(const Json& object, std::string_view name, std::uint64_t otherwise);
double number_or(const Json& object, std::string_view name, double otherwise);
bool truth_or(const Json& object, std::string_view name, bool otherwise);

std::string to_text(const Json& value);  // JSON without spaces

}  // namespace scripted
