#include "audit/source_number.h"

namespace pawl::audit {
namespace {

constexpr std::size_t kDigitsMax = 40;

}  // namespace

bool is_source_number(std::string_view text) {
  if (text.empty() || text.size() > kDigitsMax || (text.size() > 1 && text.front() == '0')) {
    return false;
  }
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool source_before(std::string_view one, std::string_view other) {
  if (one.size() != other.size()) return one.size() < other.size();
  return one < other;
}

}  // namespace pawl::audit
