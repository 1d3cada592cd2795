// Checking Ed25519 signatures, as the verifier sees it: a pure function that the composition gives
// it.
#pragma once

#include <functional>
#include <string_view>

namespace pawl {

// Whether `signature` (64 bytes) over `message` was made with the private half of `public_key` (32
// bytes).
using SignatureCheck = std::function<bool(std::string_view public_key, std::string_view message,
                                          std::string_view signature)>;

}  // namespace pawl
