#include "table/evaluation.h"

#include "item/item_size.h"

namespace pawl::table {
namespace {

const item::Item kNoItem;

Failure invalid(std::string message) {
  return {.refusal = Refusal::kInvalid, .message = std::move(message), .item = {}, .reasons = {}};
}

bool is_key(const item::KeySchema& schema, std::string_view attribute) {
  return attribute == schema.partition.name || (schema.sort && attribute == schema.sort->name);
}

Failure condition_failed(const Mutation& mutation, const ItemState& before, std::string message) {
  Failure failure{.refusal = Refusal::kConditionFailed,
                  .message = std::move(message),
                  .item = {},
                  .reasons = {}};
  if (mutation.return_old_on_failure && before.item) failure.item = *before.item;
  return failure;
}

// Nothing if the condition holds.
std::optional<Failure> check_condition(const Mutation& mutation, const ItemState& before) {
  if (!mutation.condition) return std::nullopt;
  const Result<bool> holds = mutation.condition->holds(before.item ? *before.item : kNoItem);
  if (!holds.ok()) return invalid(holds.error().message);
  if (*holds) return std::nullopt;
  return condition_failed(mutation, before, "The conditional request failed");
}

// Nothing if a table that only gains items takes it. The same put again changes nothing: a client that lost its answer is right.
std::optional<Failure> check_insert_only(const Mutation& mutation, const PutItem& put,
                                         const ItemState& before) {
  std::string_view what;
  switch (mutation.kind) {
    case Mutation::Kind::kCheck:
      return std::nullopt;
    case Mutation::Kind::kPut:
      if (!before.item || *before.item == *put.item) return std::nullopt;
      what = "an item with this key is there, and is not replaced";
      break;
    case Mutation::Kind::kUpdate:
      what = "items are not updated";
      break;
    case Mutation::Kind::kDelete:
      what = "items are not deleted";
      break;
  }
  return condition_failed(mutation, before,
                          "The conditional request failed: table " + mutation.table +
                              " is insert-only: " + std::string(what));
}

std::variant<Evaluated, Failure> evaluate_update(const item::KeySchema& schema,
                                                 const Mutation& mutation, const item::Item& key,
                                                 const ItemState& before) {
  Evaluated result;
  if (!mutation.update) {
    result.after = before.item ? before.item : std::make_shared<const item::Item>(key);
    result.size_after = before.item ? before.size : item::size_of(key);
    result.changed = !before.item;
    return result;
  }
  for (const std::string& attribute : mutation.update->attributes()) {
    if (is_key(schema, attribute)) {
      return invalid("One or more parameter values were invalid: Cannot update attribute " +
                     attribute + ". This attribute is part of the key");
    }
  }
  // An item that the update creates has its key from the start: `SET a = hashid` finds it.
  auto applied = mutation.update->apply(before.item ? *before.item : key);
  if (!applied.ok()) return invalid(applied.error().message);
  result.updated_old = std::move(applied->updated_old);
  result.updated_new = std::move(applied->updated_new);
  if (before.item && applied->item == *before.item) {
    result.after = before.item;
    result.size_after = before.size;
    return result;
  }
  result.size_after = item::size_of(applied->item);
  if (result.size_after > item::kItemSizeMax) {
    return invalid("Item size to update has exceeded the maximum allowed size");
  }
  result.after = std::make_shared<const item::Item>(std::move(applied->item));
  result.changed = true;
  return result;
}

}  // namespace

Result<item::Item> key_of_mutation(const item::KeySchema& schema, const Mutation& mutation) {
  if (mutation.kind == Mutation::Kind::kPut) return item::key_of(schema, mutation.item);
  PAWL_TRY(item::check_key(schema, mutation.item));
  return mutation.item;
}

std::variant<Evaluated, Failure> evaluate(const item::KeySchema& schema, Writes writes,
                                          const Mutation& mutation, const item::Item& key,
                                          const PutItem& put, const ItemState& before) {
  if (mutation.kind == Mutation::Kind::kPut && put.size > item::kItemSizeMax) {
    return invalid("Item size has exceeded the maximum allowed size");
  }
  if (auto failure = check_condition(mutation, before)) return std::move(*failure);
  if (writes == Writes::kInsertOnly) {
    if (auto failure = check_insert_only(mutation, put, before)) return std::move(*failure);
  }
  Evaluated result;
  switch (mutation.kind) {
    case Mutation::Kind::kPut:
      result.changed = !before.item || *before.item != *put.item;
      result.after = result.changed ? put.item : before.item;
      result.size_after = put.size;
      return result;
    case Mutation::Kind::kUpdate:
      return evaluate_update(schema, mutation, key, before);
    case Mutation::Kind::kDelete:
      result.changed = before.item != nullptr;
      return result;
    case Mutation::Kind::kCheck:
      result.after = before.item;
      result.size_after = before.size;
      return result;
  }
  PAWL_ASSERT(false);
  return result;
}

}  // namespace pawl::table
