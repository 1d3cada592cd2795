// Attribute values: DynamoDB's ten types, as plain data.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "item/number.h"

namespace pawl::item {

class Value;

// Attribute name -> value, in byte order of the names: deterministic wherever it is seen. An item
// is a map.
using Map = std::map<std::string, Value, std::less<>>;
using List = std::vector<Value>;
using Item = Map;

struct String {
  std::string text;  // valid UTF-8
  friend auto operator<=>(const String&, const String&) = default;
};
struct Binary {
  std::string bytes;
  friend auto operator<=>(const Binary&, const Binary&) = default;
};
struct Null {
  friend auto operator<=>(const Null&, const Null&) = default;
};
// Sets are sorted, without duplicates, and never empty in a stored item.
struct StringSet {
  std::vector<std::string> members;
  bool operator==(const StringSet&) const = default;
};
struct NumberSet {
  std::vector<Number> members;
  bool operator==(const NumberSet&) const = default;
};
struct BinarySet {
  std::vector<std::string> members;
  bool operator==(const BinarySet&) const = default;
};

// In the order of the alternatives of Value's variant.
enum class Type : std::uint8_t {
  kString,
  kNumber,
  kBinary,
  kBoolean,
  kNull,
  kStringSet,
  kNumberSet,
  kBinarySet,
  kList,
  kMap,
};

// "S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M".
std::string_view name_of(Type type);

// Names the alternatives instead of asking whether the variant can be built: that would ask about a
// Value inside of List while Value is being asked about.
template <typename T, typename Variant>
inline constexpr bool kIsAlternative = false;
template <typename T, typename... Alternatives>
inline constexpr bool kIsAlternative<T, std::variant<Alternatives...>> =
    (std::is_same_v<T, Alternatives> || ...);

// One attribute value. A regular value type; equality is deep and as the service compares (numbers
// by value, sets without order).
class Value {
 public:
  using Variant =
      std::variant<String, Number, Binary, bool, Null, StringSet, NumberSet, BinarySet, List, Map>;

  Value() : variant_(Null{}) {}
  // From an alternative exactly: a C string is no bool here.
  template <typename T>
  requires kIsAlternative<std::decay_t<T>, Variant> Value(T&& alternative)  // NOLINT: implicit
      : variant_(std::in_place_type<std::decay_t<T>>, std::forward<T>(alternative)) {}

  Type type() const { return static_cast<Type>(variant_.index()); }
  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(variant_);
  }
  // The alternative T; asking for another is a programmer's error.
  template <typename T>
  const T& as() const {
    PAWL_ASSERT(is<T>());
    return *std::get_if<T>(&variant_);
  }
  template <typename T>
  T& as() {
    PAWL_ASSERT(is<T>());
    return *std::get_if<T>(&variant_);
  }
  template <typename T>
  const T* get_if() const {
    return std::get_if<T>(&variant_);
  }
  template <typename T>
  T* get_if() {
    return std::get_if<T>(&variant_);
  }
  const Variant& variant() const { return variant_; }

  bool operator==(const Value& other) const;

 private:
  Variant variant_;
};

inline bool Value::operator==(const Value& other) const { return variant_ == other.variant_; }

// Limits of the service (Amazon DynamoDB developer guide, "Quotas").
inline constexpr std::size_t kItemSizeMax = 400 * 1024;    // bytes, see item_size.h
inline constexpr std::size_t kNestingDepthMax = 32;        // levels; the item itself is the first
inline constexpr std::size_t kAttributeNameMax = 65535;    // bytes
inline constexpr std::size_t kPartitionKeySizeMax = 2048;  // bytes
inline constexpr std::size_t kSortKeySizeMax = 1024;       // bytes

// Whether lists and maps stand in each other deeper than kNestingDepthMax, the item itself counted
// as the first level. For results of updates: parsing and decoding refuse what is deeper by
// themselves.
bool nested_too_deeply(const Item& item);

}  // namespace pawl::item
