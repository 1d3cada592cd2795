// One header line of an HTTP message, as views. Shared by what serves HTTP, what asks over it, and what signs both.
#pragma once

#include <string_view>

namespace pawl {

struct HttpHeader {
  std::string_view name;   // as sent
  std::string_view value;  // without white space around it
};

// Names of headers: only ASCII letters have a case.
bool equal_ignoring_case(std::string_view a, std::string_view lower_case_b);

}  // namespace pawl
