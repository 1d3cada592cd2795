// Operands of conditions: an attribute, a given value, or the size of an attribute.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "expression/path.h"
#include "expression/resolver.h"
#include "item/value.h"

namespace pawl::expression {

struct Operand {
  enum class Kind { kPath, kValue, kSize };
  Kind kind = Kind::kPath;
  Path path;                                 // kPath, kSize
  std::shared_ptr<const item::Value> value;  // kValue; never null
  bool computed = false;                     // kValue: the size of a given value, not that value

  // The type, where it is known before there is an item.
  std::optional<item::Type> known_type() const;
};

// Operands of the service's size(): everything but numbers, booleans and null. The size of a string
// is its length in UTF-16 code units, of binary in bytes, of the others the number of elements.
std::optional<std::size_t> service_size(const item::Value& value);

// Resolves one operand. Errors: undefined placeholders, wrong operands of size().
Result<Operand> make_operand(Resolver& resolver, NodeId id);

// What the operand is for an item: a pointer into the item, to the given value or to `scratch`;
// null if there is no such attribute, or it has no size.
const item::Value* evaluate(const Operand& operand, const item::Item& item, item::Value& scratch);

}  // namespace pawl::expression
