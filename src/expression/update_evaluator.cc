// Updates meet items. First every new value is worked out from the item as it was; then they are
// put in, so that indexes keep meaning what they meant in the old item: existing places first, then
// what is appended to lists in the order of its indexes, then removals from the highest place down.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "expression/update_value.h"

namespace pawl::expression {
namespace {

struct Change {
  const Path* path = nullptr;
  std::optional<item::Value> value;  // nothing: remove
};

bool is_container(const std::optional<item::Value>& value) {
  return value && (value->is<item::List>() || value->is<item::Map>());
}

bool leads_to_list(const Path& path) { return path.elements.back().is_index(); }

// The map or list that holds the last element of `path`, which has at least two. Null if there is
// none of that kind.
template <typename Item>  // item::Item or const
auto find_parent(Item& item, const Path& path) -> decltype(&item.begin()->second) {
  const auto top = item.find(path.attribute());
  if (top == item.end()) return nullptr;
  auto* value = &top->second;
  for (std::size_t i = 1; i < path.elements.size(); ++i) {
    const PathElement& element = path.elements[i];
    const bool last = i + 1 == path.elements.size();
    if (element.is_index()) {
      auto* list = value->template get_if<item::List>();
      if (list == nullptr) return nullptr;
      if (last) return value;
      const auto index = static_cast<std::size_t>(element.index);
      if (index >= list->size()) return nullptr;
      value = &(*list)[index];
    } else {
      auto* map = value->template get_if<item::Map>();
      if (map == nullptr) return nullptr;
      if (last) return value;
      const auto found = map->find(element.name);
      if (found == map->end()) return nullptr;
      value = &found->second;
    }
  }
  return nullptr;
}

void put_named(item::Map& map, const std::string& name, std::optional<item::Value> value) {
  if (value) {
    map.insert_or_assign(name, *std::move(value));
  } else {
    map.erase(name);
  }
}

class Writer {
 public:
  explicit Writer(item::Item& item) : item_(item) {}

  // Puts in what has its place already, and leaves for later what changes the length of a list.
  void put(Change& change) {
    const Path& path = *change.path;
    if (path.elements.size() == 1) {
      put_named(item_, path.attribute(), std::move(change.value));
      return;
    }
    // apply_actions() has found the parent in the old item, and no other action may touch it.
    item::Value* parent = find_parent(item_, path);
    if (!leads_to_list(path)) {
      put_named(parent->as<item::Map>(), path.elements.back().name, std::move(change.value));
      return;
    }
    auto& list = parent->as<item::List>();
    const auto index = static_cast<std::size_t>(path.elements.back().index);
    if (index < list.size()) {
      if (change.value) {
        list[index] = *std::move(change.value);
      } else {
        removals_.push_back(&change);
      }
    } else if (change.value) {
      appends_.push_back(&change);
    }
  }

  void finish() {
    const auto by_path = [](const Change* a, const Change* b) { return *a->path < *b->path; };
    std::sort(appends_.begin(), appends_.end(), by_path);
    for (Change* change : appends_) list_of(*change).push_back(*std::move(change->value));
    // From the highest place down no removal shifts what another one means.
    std::sort(removals_.begin(), removals_.end(), by_path);
    std::reverse(removals_.begin(), removals_.end());
    for (const Change* change : removals_) {
      auto& list = list_of(*change);
      list.erase(list.begin() + change->path->elements.back().index);
    }
  }

 private:
  // put() has found it before, and nothing since has taken it away.
  item::List& list_of(const Change& change) {
    return find_parent(item_, *change.path)->as<item::List>();
  }

  item::Item& item_;
  std::vector<Change*> appends_;
  std::vector<Change*> removals_;
};

}  // namespace

Result<item::Item> apply_actions(const std::vector<UpdateAction>& actions,
                                 const item::Item& before) {
  std::vector<Change> changes;
  changes.reserve(actions.size());
  bool puts_container = false;
  for (const UpdateAction& action : actions) {
    if (action.path.elements.size() > 1 && find_parent(before, action.path) == nullptr) {
      return invalid_request(
          "The document path provided in the update expression is invalid for update");
    }
    PAWL_ASSIGN_OR_RETURN(std::optional<item::Value> value, evaluate(action, before));
    // A scalar in the place of another value makes nothing deeper than it was.
    puts_container = puts_container || is_container(value);
    changes.push_back({&action.path, std::move(value)});
  }
  item::Item item = before;
  Writer writer(item);
  for (Change& change : changes) writer.put(change);
  writer.finish();
  if (puts_container && item::nested_too_deeply(item)) {
    return invalid_request("Nesting Levels have exceeded supported limits");
  }
  return item;
}

const AttributeNames& Update::attributes() const { return attributes_; }

Result<Update::Applied> Update::apply(const item::Item& before) const {
  PAWL_ASSIGN_OR_RETURN(item::Item item, apply_actions(clauses_->actions, before));
  Applied applied;
  applied.updated_old = clauses_->paths.project(before);
  applied.updated_new = clauses_->paths.project(item);
  applied.item = std::move(item);
  return applied;
}

}  // namespace pawl::expression
