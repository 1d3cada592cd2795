// Asks a running server for what Pawl alone has, as a person with a URL and perhaps keys would.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pawl::cli {

// The body of GET ENDPOINT/PATH. `path` begins with a slash, and may have a query. Signed, if the server demands it, with
// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Bounded in time and size. Errors: kUnavailable (no answer, or a
// server's error), kInvalid (no URL, or something else than Pawl answers there), kConflict (it refuses who asks), kNotFound; each
// says what to do.
Result<std::string> ask_server(const std::string& endpoint, std::string_view path);
inline Result<std::string> ask_status(const std::string& endpoint) {
  return ask_server(endpoint, "/status");
}

}  // namespace pawl::cli
