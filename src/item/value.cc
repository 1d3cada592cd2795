#include "item/value.h"

namespace pawl::item {

std::string_view name_of(Type type) {
  switch (type) {
    case Type::kString:
      return "S";
    case Type::kNumber:
      return "N";
    case Type::kBinary:
      return "B";
    case Type::kBoolean:
      return "BOOL";
    case Type::kNull:
      return "NULL";
    case Type::kStringSet:
      return "SS";
    case Type::kNumberSet:
      return "NS";
    case Type::kBinarySet:
      return "BS";
    case Type::kList:
      return "L";
    case Type::kMap:
      return "M";
  }
  return "?";
}

namespace {

// Whether `value` has more than `levels` levels of lists and maps. Recursion ends there too.
bool deeper_than(const Value& value, std::size_t levels) {
  if (const auto* list = value.get_if<List>()) {
    if (levels == 0) return true;
    for (const Value& element : *list) {
      if (deeper_than(element, levels - 1)) return true;
    }
  } else if (const auto* map = value.get_if<Map>()) {
    if (levels == 0) return true;
    for (const auto& [name, element] : *map) {
      if (deeper_than(element, levels - 1)) return true;
    }
  }
  return false;
}

}  // namespace

bool nested_too_deeply(const Item& item) {
  for (const auto& [name, value] : item) {
    if (deeper_than(value, kNestingDepthMax - 1)) return true;
  }
  return false;
}

}  // namespace pawl::item
