// archive.json: what an archive is, wherever it stands. See docs/internals/archive-format.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"

namespace pawl {

inline constexpr unsigned kArchiveFormat = 1;
inline constexpr std::size_t kArchiveIdentityMax = 4096;  // bytes

std::string render_archive_identity(std::uint64_t id, Instant created);
// The archive's id. `place` is for messages. Errors: kCorrupt; kInvalid for the format of a newer Pawl.
Result<std::uint64_t> parse_archive_identity(std::string_view text, const std::string& place);

}  // namespace pawl
