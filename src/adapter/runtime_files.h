// The files of adapter/runtime, in the program itself: `pawl` alone starts functions, wherever it was copied to.
#pragma once

#include <string_view>

namespace pawl::runtime_files {

extern const std::string_view kPythonBootstrap;
extern const std::string_view kNodeBootstrap;
extern const std::string_view kSitecustomize;

}  // namespace pawl::runtime_files
