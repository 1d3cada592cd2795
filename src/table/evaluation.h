// What one mutation makes of one item: conditions, updates, sizes, and the service's messages.
// Pure.
#pragma once

#include <memory>
#include <variant>

#include "item/key.h"
#include "table/command.h"
#include "table/commit_step.h"

namespace pawl::table {

using ItemPtr = std::shared_ptr<const item::Item>;

// An item as it stands between two mutations.
struct ItemState {
  KeyHistory history;
  ItemPtr item;          // kPresent only
  std::size_t size = 0;  // item::size_of, 0 if there is none
};

// The key of a mutation, checked against the schema, without the item's other attributes.
// Errors: kInvalid with the service's message.
Result<item::Item> key_of_mutation(const item::KeySchema& schema, const Mutation& mutation);

// What is to be put, moved out of its mutation once and for all, so that it can be evaluated again
// without a copy (a command may be put off to the next round).
struct PutItem {
  ItemPtr item;
  std::size_t size = 0;
};

struct Evaluated {
  bool changed = false;
  ItemPtr after;  // nothing if there is no item after it
  std::size_t size_after = 0;
  item::Item updated_old;
  item::Item updated_new;
};

// Which mutations a table takes.
enum class Writes : std::uint8_t {
  kAll,
  kInsertOnly,  // a put of what is not there yet, or is there just so; nothing else
};

// `put` belongs to kPut alone; `key` is what key_of_mutation() returned.
std::variant<Evaluated, Failure> evaluate(const item::KeySchema& schema, Writes writes,
                                          const Mutation& mutation, const item::Item& key,
                                          const PutItem& put, const ItemState& before);

}  // namespace pawl::table
