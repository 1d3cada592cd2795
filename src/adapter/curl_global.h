// libcurl's one initialisation of the process.
#pragma once

namespace pawl {

// Thread-safe; does it once.
void initialise_curl();

}  // namespace pawl
