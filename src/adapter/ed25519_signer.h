// The ledger's signing key, in a file of the data directory.
#pragma once

#include <memory>

#include "port/signer.h"

namespace pawl {

// Reads "signing-key.pem" (PKCS #8) in `directory`, or makes a new key there (0600, durable). Errors: kCorrupt if the
// file is no Ed25519 key; kUnavailable.
Result<std::unique_ptr<Signer>> open_signer(int directory);

}  // namespace pawl
