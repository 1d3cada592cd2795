// What ends the process when nobody knows whether the last batch is durable.
#pragma once

#include <string>

namespace pawl::server {

// Nobody may be answered, and only a restart can tell. Connections close with the process; its status is 2.
[[noreturn]] void end_with_unknown_outcome(const std::string& why);

}  // namespace pawl::server
