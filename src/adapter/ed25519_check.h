// Ed25519 verification with OpenSSL.
#pragma once

#include "port/signature_check.h"

namespace pawl::adapter {

// Pure and thread-safe; about 120 µs a check. False for anything malformed.
bool check_ed25519(std::string_view public_key, std::string_view message,
                   std::string_view signature);

}  // namespace pawl::adapter
