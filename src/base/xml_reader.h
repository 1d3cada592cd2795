// Reads the small XML documents that S3 answers with: elements and text, no attributes that matter, nothing that a
// document could make grow. A document type, an unknown entity, a processing instruction within, CDATA, a nesting or a
// length beyond the bounds: an error, not a guess.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/result.h"

namespace pawl {

inline constexpr std::size_t kXmlDepthMax = 16;
inline constexpr std::size_t kXmlNameMax = 128;

// Calls `visit` at the end of every element, children before parents, with its path from the root
// ("ListBucketResult/Contents/Key") and the text that stands directly in it, entities resolved; both are valid during
// the call. White space is kept. Errors: kInvalid, also for a document that ends early. No recursion.
Status read_xml(std::string_view document,
                const std::function<void(std::string_view path, std::string_view text)>& visit);

}  // namespace pawl
