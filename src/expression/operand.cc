#include "expression/operand.h"

#include <cstdint>
#include <utility>

#include "expression/name_check.h"

namespace pawl::expression {
namespace {

std::size_t utf16_units(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80) continue;  // not the first byte of a character
    units += byte >= 0xF0 ? 2 : 1;        // beyond the basic plane: a surrogate pair
  }
  return units;
}

item::Value as_number(std::size_t size) {
  return item::Value(item::Number(static_cast<std::int64_t>(size)));
}

Result<Operand> make_size(Resolver& resolver, NodeId id) {
  const NodeId argument = resolver.tree().child(id, 0);
  PAWL_ASSIGN_OR_RETURN(Operand operand, make_operand(resolver, argument));
  PAWL_TRY(resolver.count_operator());
  PAWL_TRY(resolver.check_operand_count(id, 1));
  if (operand.kind == Operand::Kind::kPath) {
    operand.kind = Operand::Kind::kSize;
    return operand;
  }
  // A size of a size is the size of a number, which has none.
  const item::Type type = *operand.known_type();
  const auto size = operand.kind == Operand::Kind::kValue && !operand.computed
                        ? service_size(*operand.value)
                        : std::optional<std::size_t>();
  if (!size) return incorrect_type(resolver.kind(), "size", item::name_of(type));
  operand.value = std::make_shared<const item::Value>(as_number(*size));
  operand.computed = true;
  return operand;
}

}  // namespace

std::optional<item::Type> Operand::known_type() const {
  if (kind == Kind::kValue) return value->type();
  if (kind == Kind::kSize) return item::Type::kNumber;
  return std::nullopt;
}

std::optional<std::size_t> service_size(const item::Value& value) {
  switch (value.type()) {
    case item::Type::kString:
      return utf16_units(value.as<item::String>().text);
    case item::Type::kBinary:
      return value.as<item::Binary>().bytes.size();
    case item::Type::kStringSet:
      return value.as<item::StringSet>().members.size();
    case item::Type::kNumberSet:
      return value.as<item::NumberSet>().members.size();
    case item::Type::kBinarySet:
      return value.as<item::BinarySet>().members.size();
    case item::Type::kList:
      return value.as<item::List>().size();
    case item::Type::kMap:
      return value.as<item::Map>().size();
    case item::Type::kNumber:
    case item::Type::kBoolean:
    case item::Type::kNull:
      return std::nullopt;
  }
  return std::nullopt;
}

Result<Operand> make_operand(Resolver& resolver, NodeId id) {
  Operand operand;
  switch (resolver.tree().at(id).kind) {
    case NodeKind::kPath: {
      operand.kind = Operand::Kind::kPath;
      PAWL_ASSIGN_OR_RETURN(operand.path, resolver.path(id));
      return operand;
    }
    case NodeKind::kValue: {
      operand.kind = Operand::Kind::kValue;
      PAWL_ASSIGN_OR_RETURN(operand.value, resolver.value(id));
      return operand;
    }
    default:
      // The grammar lets only functions through, and check_names() only size().
      return make_size(resolver, id);
  }
}

const item::Value* evaluate(const Operand& operand, const item::Item& item, item::Value& scratch) {
  if (operand.kind == Operand::Kind::kValue) return operand.value.get();
  const item::Value* value = operand.path.find(item);
  if (value == nullptr || operand.kind == Operand::Kind::kPath) return value;
  const auto size = service_size(*value);
  if (!size) return nullptr;
  scratch = as_number(*size);
  return &scratch;
}

}  // namespace pawl::expression
