// Whether bytes are text.
#pragma once

#include <string_view>

namespace pawl::item {

// Valid UTF-8 (no surrogates, no overlong forms). Short ASCII, the usual case, costs a few
// nanoseconds.
bool is_utf8(std::string_view bytes);

}  // namespace pawl::item
