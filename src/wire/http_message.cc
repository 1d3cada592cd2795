#include "wire/http_message.h"

namespace pawl::wire {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view lower_case_b) {
  if (a.size() != lower_case_b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower_case_b[i]) return false;
  }
  return true;
}

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
