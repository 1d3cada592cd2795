// Document paths: where in an item a value is ("a", "a.b", "a.list[3].c").
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "item/value.h"

namespace pawl::expression {

// One step: an attribute name, or an index of a list.
struct PathElement {
  static constexpr std::int64_t kName = -1;
  std::string name;
  std::int64_t index = kName;

  bool is_index() const { return index != kName; }
  bool operator==(const PathElement&) const = default;
  // Names by bytes, before indexes by number.
  std::strong_ordering operator<=>(const PathElement& other) const;
};

// The first element is always a name: a top-level attribute. At most 32 elements.
struct Path {
  std::vector<PathElement> elements;

  const std::string& attribute() const { return elements.front().name; }
  bool operator==(const Path&) const = default;
  // A path comes right before what lies below it.
  std::strong_ordering operator<=>(const Path& other) const;

  // The value there, or null if there is none. Valid as long as the item is unchanged.
  const item::Value* find(const item::Item& item) const;

  // "[a, list, [3], c]": how the service writes paths in its messages.
  std::string to_string() const;
};

inline constexpr std::size_t kPathElementsMax = 32;

}  // namespace pawl::expression
