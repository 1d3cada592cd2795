#include "guard/guard_ports.h"

#include "base/digest.h"

namespace pawl::guard {

Incarnation guarded_incarnation(const SourceTableFacts& facts) {
  const std::string life = facts.id.empty() ? facts.created.to_string() : facts.id;
  const auto digest = sha256(facts.arn + "\n" + life);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | digest.bytes[i];
  return {value == 0 ? 1 : value};
}

}  // namespace pawl::guard
