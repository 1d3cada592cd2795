// Update expressions as they are applied: checked, with every placeholder replaced.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "expression/expression.h"
#include "expression/path.h"
#include "expression/path_set.h"
#include "expression/update_parser.h"

namespace pawl::expression {

// The right-hand side of an action.
struct UpdateValue {
  enum class Kind { kPath, kValue, kIfNotExists, kListAppend, kPlus, kMinus };
  Kind kind = Kind::kValue;
  Path path;                                 // kPath; kIfNotExists: what is looked for
  std::shared_ptr<const item::Value> value;  // kValue; never null
  std::vector<UpdateValue> operands;         // kIfNotExists: the alternative; others: left, right
};

struct UpdateAction {
  Clause clause = Clause::kSet;
  Path path;
  UpdateValue value;  // unless kRemove
};

struct Update::Clauses {
  std::vector<UpdateAction>
      actions;    // in the order of the text; never changes once `paths` points into it
  PathSet paths;  // of the actions
};

// The item after the update. Errors: see Update::apply.
Result<item::Item> apply_actions(const std::vector<UpdateAction>& actions,
                                 const item::Item& before);

}  // namespace pawl::expression
