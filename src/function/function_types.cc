#include "function/function_types.h"

#include <fmt/format.h>

#include <algorithm>

namespace pawl::function {

std::string FunctionRecord::arn() const {
  return fmt::format("arn:aws:lambda:{}:{}:function:{}", region, kAccount, name);
}

bool is_function_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= kNameMax && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace pawl::function
