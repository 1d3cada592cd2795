// The head of an answer as bytes.
#pragma once

#include <string>
#include <string_view>

#include "wire/http_message.h"

namespace pawl::wire {

std::string_view http_reason(unsigned status);

// Appends status line and headers, with the empty line. `date_header` is a whole header line.
void append_response_head(std::string& out, const HttpResponse& response,
                          std::string_view request_id, std::string_view date_header, bool close);

}  // namespace pawl::wire
