#include "expression/order.h"

namespace pawl::expression {

std::optional<std::strong_ordering> order_of(const item::Value& a, const item::Value& b) {
  if (a.type() != b.type()) return std::nullopt;
  // Strings by their UTF-8 bytes, binary by unsigned bytes: std::string compares both so.
  if (const auto* string = a.get_if<item::String>()) return *string <=> b.as<item::String>();
  if (const auto* binary = a.get_if<item::Binary>()) return *binary <=> b.as<item::Binary>();
  if (const auto* number = a.get_if<item::Number>()) return *number <=> b.as<item::Number>();
  return std::nullopt;
}

}  // namespace pawl::expression
