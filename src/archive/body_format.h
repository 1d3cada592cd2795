// The format of object bodies: one JSON document a version of an item. Described in
// docs/internals/archive-format.md, "Bodies" and "Guarded tables"; read for verification by src/audit, which shares none of it.
#pragma once

#include <cstddef>
#include <string_view>

namespace pawl::archive {

inline constexpr std::string_view kBodyFormat = "pawl-version/1";  // item::kBodyFormat
inline constexpr std::string_view kGuardedBodyFormat =
    "pawl-version/2";  // item::kGuardedBodyFormat

// The longest body: two images of 400 KiB each, where JSON may take six bytes for one ("\u0000"), type markers of
// deeply nested small values, and the rest.
inline constexpr std::size_t kBodyBytesMax = std::size_t{16} << 20;

}  // namespace pawl::archive
