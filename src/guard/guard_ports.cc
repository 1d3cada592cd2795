#include "guard/guard_ports.h"

#include <fmt/format.h>

#include "base/digest.h"

namespace pawl::guard {
namespace {

Result<item::KeyAttribute> key_attribute(const SourceKey& key) {
  switch (key.type) {
    case 'S':
      return item::KeyAttribute{key.name, item::Type::kString};
    case 'N':
      return item::KeyAttribute{key.name, item::Type::kNumber};
    case 'B':
      return item::KeyAttribute{key.name, item::Type::kBinary};
    default:
      return Error{ErrorCode::kInvalid,
                   fmt::format("the table's key '{}' has a type that is none of S, N, B", key.name),
                   ""};
  }
}

}  // namespace

Result<item::KeySchema> key_schema_of(const SourceTableFacts& facts) {
  item::KeySchema schema;
  PAWL_ASSIGN_OR_RETURN(schema.partition, key_attribute(facts.partition));
  if (facts.sort) {
    PAWL_ASSIGN_OR_RETURN(schema.sort, key_attribute(*facts.sort));
  }
  return schema;
}

Incarnation guarded_incarnation(const SourceTableFacts& facts) {
  const std::string life = facts.id.empty() ? facts.created.to_string() : facts.id;
  const auto digest = sha256(facts.arn + "\n" + life);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | digest.bytes[i];
  return {value == 0 ? 1 : value};
}

}  // namespace pawl::guard
