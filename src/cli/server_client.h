// Asks a running server for its status, as a person with a URL and perhaps keys would.
#pragma once

#include <string>

#include "base/result.h"

namespace pawl::cli {

// The body of GET ENDPOINT/status. Signed, if the server demands it, with AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY. Bounded in time and size. Errors: kUnavailable (no answer), kInvalid (no URL, or something
// else than Pawl answers there), kConflict (it refuses who asks); each says what to do.
Result<std::string> ask_status(const std::string& endpoint);

}  // namespace pawl::cli
