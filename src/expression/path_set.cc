#include "expression/path_set.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace pawl::expression {
namespace {

std::size_t common_elements(const Path& a, const Path& b) {
  const std::size_t limit = std::min(a.elements.size(), b.elements.size());
  std::size_t count = 0;
  while (count < limit && a.elements[count] == b.elements[count]) ++count;
  return count;
}

bool contains_path(const Path& outer, const Path& inner) {
  return common_elements(outer, inner) == outer.elements.size();
}

// Whether the paths part at an element that is a name in one and an index in the other.
bool conflict(const Path& a, const Path& b) {
  const std::size_t common = common_elements(a, b);
  return common < a.elements.size() && common < b.elements.size() &&
         a.elements[common].is_index() != b.elements[common].is_index();
}

Error clash(ExpressionKind kind, std::string_view how, const Path& one, const Path& two) {
  return invalid(kind, "Two document paths " + std::string(how) +
                           " with each other; must remove or rewrite one of these paths; path "
                           "one: " +
                           one.to_string() + ", path two: " + two.to_string());
}

using Range = std::span<const Path* const>;

// Copies what `paths`, which all lead through `value` by their first `depth` elements, select of
// it. Recursion is bounded by kPathElementsMax.
std::optional<item::Value> select(const item::Value& value, Range paths, std::size_t depth) {
  if (paths.front()->elements.size() == depth) return value;
  item::Map map;
  item::List list;
  std::size_t begin = 0;
  while (begin < paths.size()) {
    const PathElement& element = paths[begin]->elements[depth];
    std::size_t end = begin + 1;
    while (end < paths.size() && paths[end]->elements[depth] == element) ++end;
    const Range group = paths.subspan(begin, end - begin);
    begin = end;
    if (element.is_index()) {
      const auto* source = value.get_if<item::List>();
      const auto index = static_cast<std::size_t>(element.index);
      if (source == nullptr || index >= source->size()) continue;
      auto selected = select((*source)[index], group, depth + 1);
      if (selected) list.push_back(*std::move(selected));
    } else {
      const auto* source = value.get_if<item::Map>();
      if (source == nullptr) continue;
      const auto found = source->find(element.name);
      if (found == source->end()) continue;
      auto selected = select(found->second, group, depth + 1);
      if (selected) map.emplace(element.name, *std::move(selected));
    }
  }
  if (!map.empty()) return item::Value(std::move(map));
  if (!list.empty()) return item::Value(std::move(list));
  return std::nullopt;
}

}  // namespace

Status PathSet::insert(ExpressionKind kind, const Path* path) {
  const auto by_path = [](const Path* a, const Path* b) { return *a < *b; };
  const auto after = std::lower_bound(paths_.begin(), paths_.end(), path, by_path);
  // In this order whatever lies below `path` follows it at once, and since the set is free of
  // overlaps, only the path right before it can lead to it. The nearest neighbours also share most
  // of its elements, so that a conflict shows with them or with nobody.
  if (after != paths_.end() && contains_path(*path, **after)) {
    auto last = after;
    while (std::next(last) != paths_.end() && contains_path(*path, **std::next(last))) ++last;
    return clash(kind, "overlap", *path, **last);
  }
  if (after != paths_.begin()) {
    const Path& before = **std::prev(after);
    if (contains_path(before, *path)) return clash(kind, "overlap", *path, before);
    if (conflict(*path, before)) return clash(kind, "conflict", *path, before);
  }
  if (after != paths_.end() && conflict(*path, **after)) {
    return clash(kind, "conflict", *path, **after);
  }
  paths_.insert(after, path);
  return ok();
}

item::Item PathSet::project(const item::Item& item) const {
  item::Item result;
  const Range all(paths_);
  std::size_t begin = 0;
  while (begin < all.size()) {
    const std::string& attribute = all[begin]->attribute();
    std::size_t end = begin + 1;
    while (end < all.size() && all[end]->attribute() == attribute) ++end;
    const auto found = item.find(attribute);
    if (found != item.end()) {
      auto selected = select(found->second, all.subspan(begin, end - begin), 1);
      if (selected) result.emplace(attribute, *std::move(selected));
    }
    begin = end;
  }
  return result;
}

}  // namespace pawl::expression
