// Any bytes: an error or a walk within the bounds.
#include "base/assert.h"
#include "base/xml_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view document(reinterpret_cast<const char*>(data), size);
  const auto status = pawl::read_xml(document, [&](std::string_view path, std::string_view text) {
    PAWL_ASSERT(!path.empty() && path.size() <= pawl::kXmlDepthMax * (pawl::kXmlNameMax + 1));
    PAWL_ASSERT(text.size() <= document.size());
  });
  static_cast<void>(status.ok());
  return 0;
}
