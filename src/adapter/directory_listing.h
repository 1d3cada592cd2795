// The names in a directory.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace pawl {

// Without "." and "..", in byte order. `path` is for the error only. Leaves `dir` as it was.
Result<std::vector<std::string>> list_directory(int dir, const std::string& path);

}  // namespace pawl
