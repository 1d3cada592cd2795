// Ed25519 signatures (RFC 8032) over tips, root pages and volume starts of the ledger.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace pawl {

using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

// Holds a private key. Thread-safe. About 50 µs a signature.
class Signer {
 public:
  virtual ~Signer() = default;
  virtual const PublicKey& public_key() const = 0;
  virtual Result<Signature> sign(std::string_view bytes) = 0;
};

}  // namespace pawl
