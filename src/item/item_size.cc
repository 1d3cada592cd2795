#include "item/item_size.h"

namespace pawl::item {
namespace {

constexpr std::size_t kContainerOverhead = 3;  // bytes of a list or map
constexpr std::size_t kElementOverhead = 1;    // bytes for each of its elements

std::size_t size_of_members(const std::vector<std::string>& members) {
  std::size_t size = 0;
  for (const auto& member : members) size += member.size();
  return size;
}

struct Measure {
  std::size_t operator()(const String& string) const { return string.text.size(); }
  std::size_t operator()(const Number& number) const { return number.stored_size(); }
  std::size_t operator()(const Binary& binary) const { return binary.bytes.size(); }
  std::size_t operator()(bool) const { return 1; }
  std::size_t operator()(Null) const { return 1; }
  std::size_t operator()(const StringSet& set) const { return size_of_members(set.members); }
  std::size_t operator()(const NumberSet& set) const {
    std::size_t size = 0;
    for (const Number& member : set.members) size += member.stored_size();
    return size;
  }
  std::size_t operator()(const BinarySet& set) const { return size_of_members(set.members); }
  std::size_t operator()(const List& list) const {
    std::size_t size = kContainerOverhead;
    for (const Value& element : list) size += kElementOverhead + size_of(element);
    return size;
  }
  std::size_t operator()(const Map& map) const {
    return kContainerOverhead + kElementOverhead * map.size() + size_of(map);
  }
};

}  // namespace

std::size_t size_of(const Value& value) { return std::visit(Measure{}, value.variant()); }

std::size_t size_of(const Item& item) {
  std::size_t size = 0;
  for (const auto& [name, value] : item) size += name.size() + size_of(value);
  return size;
}

}  // namespace pawl::item
