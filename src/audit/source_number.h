// The numbers that a service gives to its stream's records, as pages and bodies of guarded tables hold them: the
// auditor's own reading of docs/internals/archive-format.md, "Guarded tables".
#pragma once

#include <string_view>

namespace pawl::audit {

// 1 to 40 decimal digits without leading zeros.
bool is_source_number(std::string_view text);
// Whether `one` is smaller than `other`; both are source numbers.
bool source_before(std::string_view one, std::string_view other);

}  // namespace pawl::audit
