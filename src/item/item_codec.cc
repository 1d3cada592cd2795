#include "item/item_codec.h"

#include <algorithm>
#include <utility>

#include "item/item_size.h"
#include "item/stored_codes.h"
#include "item/utf8.h"

namespace pawl::item {
namespace {

// A count of the input is believed only so far before its elements have been seen.
constexpr std::size_t kReserveMax = 256;

void append_members(std::string& out, const std::vector<std::string>& members) {
  append_varint(out, members.size());
  for (const auto& member : members) append_bytes(out, member);
}

// Recursion is bounded by the depth of the value, which parsing and updates keep at
// kNestingDepthMax.
struct Writer {
  std::string& out;

  void operator()(const String& string) {
    append_u8(out, kCodeString);
    append_bytes(out, string.text);
  }
  void operator()(const Number& number) {
    append_u8(out, kCodeNumber);
    number.append_compact(out);
  }
  void operator()(const Binary& binary) {
    append_u8(out, kCodeBinary);
    append_bytes(out, binary.bytes);
  }
  void operator()(bool boolean) { append_u8(out, boolean ? kCodeTrue : kCodeFalse); }
  void operator()(Null) { append_u8(out, kCodeNull); }
  void operator()(const StringSet& set) {
    append_u8(out, kCodeStringSet);
    append_members(out, set.members);
  }
  void operator()(const NumberSet& set) {
    append_u8(out, kCodeNumberSet);
    append_varint(out, set.members.size());
    for (const Number& member : set.members) member.append_compact(out);
  }
  void operator()(const BinarySet& set) {
    append_u8(out, kCodeBinarySet);
    append_members(out, set.members);
  }
  void operator()(const List& list) {
    append_u8(out, kCodeList);
    append_varint(out, list.size());
    for (const Value& element : list) std::visit(*this, element.variant());
  }
  void operator()(const Map& map) {
    append_u8(out, kCodeMap);
    append_item(out, map);
  }
};

// Reads into a place that exists already, so that nothing is moved about. False: damaged.
class ValueReader {
 public:
  explicit ValueReader(Reader& reader) : reader_(reader) {}

  bool map(Map& map, std::size_t depth) {
    if (depth > kNestingDepthMax) return false;
    const std::size_t count = read_count(2);
    std::string_view previous;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view name = reader_.bytes();
      if (!reader_.ok() || (i > 0 && name <= previous) || !is_utf8(name)) return false;
      previous = name;
      auto& place = map.emplace_hint(map.end(), name, Value{})->second;
      if (!value(place, depth)) return false;
    }
    return reader_.ok();
  }

 private:
  // A count of elements of at least `size_min` bytes each.
  std::size_t read_count(std::size_t size_min) {
    const std::uint64_t count = reader_.varint();
    if (count > reader_.rest().size() / size_min) reader_.fail();
    return reader_.ok() ? static_cast<std::size_t>(count) : 0;
  }

  bool value(Value& out, std::size_t depth) {
    switch (reader_.u8()) {
      case kCodeString: {
        const std::string_view text = reader_.bytes();
        out = String{std::string(text)};
        return reader_.ok() && is_utf8(text);
      }
      case kCodeNumber: {
        auto number = Number::read_compact(reader_);
        if (!number.ok()) return false;
        out = *number;
        return true;
      }
      case kCodeBinary:
        out = Binary{std::string(reader_.bytes())};
        return reader_.ok();
      case kCodeFalse:
        out = false;
        return true;
      case kCodeTrue:
        out = true;
        return true;
      case kCodeNull:
        out = Null{};
        return true;
      case kCodeStringSet:
        out = StringSet{};
        return members(out.as<StringSet>().members, true);
      case kCodeNumberSet:
        out = NumberSet{};
        return numbers(out.as<NumberSet>().members);
      case kCodeBinarySet:
        out = BinarySet{};
        return members(out.as<BinarySet>().members, false);
      case kCodeList:
        out = List{};
        return list(out.as<List>(), depth + 1);
      case kCodeMap:
        out = Map{};
        return map(out.as<Map>(), depth + 1);
      default:
        return false;  // a foreign code, or the end of the input
    }
  }

  bool members(std::vector<std::string>& members, bool text) {
    const std::size_t count = read_count(1);
    members.reserve(std::min(count, kReserveMax));
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view member = reader_.bytes();
      if (!reader_.ok() || (i > 0 && member <= members.back()) || (text && !is_utf8(member)))
        return false;
      members.emplace_back(member);
    }
    return reader_.ok();
  }

  bool numbers(std::vector<Number>& members) {
    const std::size_t count = read_count(2);
    members.reserve(std::min(count, kReserveMax));
    for (std::size_t i = 0; i < count; ++i) {
      const auto number = Number::read_compact(reader_);
      if (!number.ok() || (i > 0 && *number <= members.back())) return false;
      members.push_back(*number);
    }
    return reader_.ok();
  }

  bool list(List& list, std::size_t depth) {
    if (depth > kNestingDepthMax) return false;
    const std::size_t count = read_count(1);
    list.reserve(std::min(count, kReserveMax));
    for (std::size_t i = 0; i < count; ++i) {
      if (!value(list.emplace_back(), depth)) return false;
    }
    return reader_.ok();
  }

  Reader& reader_;
};

Error corrupt() { return {ErrorCode::kCorrupt, "A stored item is damaged.", ""}; }

}  // namespace

void append_item(std::string& out, const Item& item) {
  append_varint(out, item.size());
  Writer writer{out};
  for (const auto& [name, value] : item) {
    append_bytes(out, name);
    std::visit(writer, value.variant());
  }
}

std::string encode_item(const Item& item) {
  std::string out;
  // Lengths and codes take a few bytes an attribute more than the item's accounted size.
  out.reserve(size_of(item) + 4 * item.size() + 16);
  append_item(out, item);
  return out;
}

Result<Item> read_item(Reader& reader) {
  Result<Item> result{Item{}};
  if (!ValueReader(reader).map(*result, 1)) {
    reader.fail();
    return corrupt();
  }
  return result;
}

Result<Item> decode_item(std::string_view encoded) {
  Reader reader(encoded);
  Result<Item> item = read_item(reader);
  if (item.ok() && !reader.at_end()) return corrupt();
  return item;
}

}  // namespace pawl::item
