// How functions are stored: docs/internals/functions.md. They have an ordered store of their own (DATA/functions/store), of which
// they use three key spaces; the names of KeySpace are the table's, so they are given names here.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "function/function_types.h"
#include "port/key_value_store.h"

namespace pawl::function {

inline constexpr KeySpace kFunctions = KeySpace::kCatalog;  // "format", and records by name
inline constexpr KeySpace kCode = KeySpace::kItems;         // zip files: large, so in blob files
inline constexpr KeySpace kEvents =
    KeySpace::kChanges;  // asynchronous invocations, and their payloads

inline constexpr unsigned kFunctionFormat = 1;
inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kFunctionPrefix = "function/";

// event/ number (8), payload/ number (8): event_queue.cc
inline constexpr std::string_view kEventPrefix = "event/";
inline constexpr std::string_view kPayloadPrefix = "payload/";

std::string function_key(std::string_view name);
// code/ id (8) code (8)
std::string code_key(const FunctionRecord& function);

std::string encode_function(const FunctionRecord& function);
// Errors: kCorrupt.
Result<FunctionRecord> decode_function(std::string_view bytes);

}  // namespace pawl::function
