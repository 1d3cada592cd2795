#include "audit/object_digest.h"

#include <cstddef>

namespace pawl::audit {
namespace {

// Objects may be of any size.
constexpr std::size_t kPieceSize = std::size_t{4} << 20;

}  // namespace

Result<std::optional<Digest>> digest_in(ArchiveView& archive, std::string_view path,
                                        std::uint64_t size) {
  Sha256 hash;
  for (std::uint64_t offset = 0; offset < size;) {
    PAWL_ASSIGN_OR_RETURN(const auto piece, archive.read(path, offset, kPieceSize));
    if (!piece || piece->empty()) return std::optional<Digest>();
    hash.update(*piece);
    offset += piece->size();
  }
  return std::optional<Digest>(hash.finish());
}

}  // namespace pawl::audit
