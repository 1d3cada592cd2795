// The digest of an object's content.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"
#include "port/archive_view.h"

namespace pawl::audit {

// The SHA-256 of the first `size` bytes of an object, read in pieces of 4 MiB; nothing if it is gone or shorter. Errors: the view's.
Result<std::optional<Digest>> digest_in(ArchiveView& archive, std::string_view path,
                                        std::uint64_t size);

}  // namespace pawl::audit
