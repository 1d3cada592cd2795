#include "expression/path.h"

#include <algorithm>

namespace pawl::expression {

std::strong_ordering PathElement::operator<=>(const PathElement& other) const {
  // A name's index is -1, so it sorts before every real index.
  if (const auto order = index <=> other.index; order != 0) return order;
  return name.compare(other.name) <=> 0;
}

std::strong_ordering Path::operator<=>(const Path& other) const {
  return std::lexicographical_compare_three_way(elements.begin(), elements.end(),
                                                other.elements.begin(), other.elements.end());
}

const item::Value* Path::find(const item::Item& item) const {
  const auto top = item.find(attribute());
  if (top == item.end()) return nullptr;
  const item::Value* value = &top->second;
  for (std::size_t i = 1; i < elements.size(); ++i) {
    const PathElement& element = elements[i];
    if (element.is_index()) {
      const auto* list = value->get_if<item::List>();
      const auto index = static_cast<std::size_t>(element.index);
      if (list == nullptr || index >= list->size()) return nullptr;
      value = &(*list)[index];
    } else {
      const auto* map = value->get_if<item::Map>();
      if (map == nullptr) return nullptr;
      const auto found = map->find(element.name);
      if (found == map->end()) return nullptr;
      value = &found->second;
    }
  }
  return value;
}

std::string Path::to_string() const {
  std::string text = "[";
  for (const PathElement& element : elements) {
    if (text.size() > 1) text += ", ";
    text += element.is_index() ? "[" + std::to_string(element.index) + "]" : element.name;
  }
  text += ']';
  return text;
}

}  // namespace pawl::expression
