// Paths of which none contains another: those that an update writes, and those that a projection
// returns.
#pragma once

#include <vector>

#include "base/result.h"
#include "expression/messages.h"
#include "expression/path.h"
#include "item/value.h"

namespace pawl::expression {

class PathSet {
 public:
  // `path` must outlive the set. Errors: it overlaps with a path of the set (one leads to or
  // through the other) or conflicts with it (the same place would be both a map and a list); the
  // set is then unchanged.
  Status insert(ExpressionKind kind, const Path* path);

  // Those parts of `item`, in their places: maps keep only the named entries, lists only the named
  // elements, closed up in the order of their indexes. What isn't there is left out.
  item::Item project(const item::Item& item) const;

  const std::vector<const Path*>& sorted() const { return paths_; }

 private:
  std::vector<const Path*> paths_;  // by Path's order
};

}  // namespace pawl::expression
