#include "wire/http_message.h"

namespace pawl::wire {

std::string_view HttpRequest::header(std::string_view lower_case_name) const {
  for (const HttpHeader& header : headers) {
    if (equal_ignoring_case(header.name, lower_case_name)) return header.value;
  }
  return {};
}

bool HttpRequest::has_header(std::string_view lower_case_name) const {
  return count_headers(lower_case_name) > 0;
}

std::size_t HttpRequest::count_headers(std::string_view lower_case_name) const {
  std::size_t count = 0;
  for (const HttpHeader& header : headers) {
    if (equal_ignoring_case(header.name, lower_case_name)) ++count;
  }
  return count;
}

}  // namespace pawl::wire
