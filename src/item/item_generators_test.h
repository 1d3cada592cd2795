// Generators of numbers, values and items for property tests.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "item/value.h"

namespace pawl::item::generate {

// Numbers of every size and place in the range, near its ends too.
inline rc::Gen<Number> number() {
  return rc::gen::exec([] {
    const int digits = *rc::gen::inRange(1, 39);
    std::string text = *rc::gen::element("", "-");
    text += *rc::gen::inRange('1', static_cast<char>('9' + 1));
    text += '.';
    for (int i = 1; i < digits; ++i) text += *rc::gen::element('0', '1', '5', '9');
    // Half of them near 1, where they meet in comparisons and sums.
    const int exponent = *rc::gen::oneOf(rc::gen::inRange(-3, 4), rc::gen::inRange(-130, 126));
    const auto parsed = Number::parse(text + "e" + std::to_string(exponent));
    PAWL_ASSERT(parsed.ok());
    return *rc::gen::weightedElement<Number>({{20, *parsed}, {1, Number{}}});
  });
}

// Text with what needs care: quotes, control characters, characters of two, three and four bytes,
// NUL.
inline rc::Gen<std::string> text() {
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
                          "a", "b", "Z", "0", "\"", "\\", "\n", "\x01", "/", "~", "é", "日", "😀",
                          std::string(1, '\0'), "\x7f")),
                      [](const std::vector<std::string>& parts) {
                        std::string joined;
                        for (const auto& part : parts) joined += part;
                        return joined;
                      });
}

// Bytes with many of those that escaping and terminators are made of.
inline rc::Gen<std::string> bytes() {
  return rc::gen::container<std::string>(rc::gen::oneOf(
      rc::gen::element('\0', '\1', '\xFE', '\xFF', 'a'), rc::gen::arbitrary<char>()));
}

template <typename Member>
std::vector<Member> as_set(std::vector<Member> members) {
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
  return members;
}

template <typename Member>
rc::Gen<std::vector<Member>> set_of(rc::Gen<Member> member) {
  return rc::gen::map(rc::gen::nonEmpty(rc::gen::container<std::vector<Member>>(std::move(member))),
                      [](std::vector<Member> members) { return as_set(std::move(members)); });
}

// A value with at most `levels` levels of lists and maps.
inline rc::Gen<Value> value(int levels) {
  return rc::gen::exec([levels]() -> Value {
    switch (*rc::gen::inRange(0, levels > 0 ? 10 : 8)) {
      case 0:
        return String{*text()};
      case 1:
        return *number();
      case 2:
        return Binary{*bytes()};
      case 3:
        return *rc::gen::arbitrary<bool>();
      case 4:
        return Null{};
      case 5:
        return StringSet{*set_of(text())};
      case 6:
        return NumberSet{*set_of(number())};
      case 7:
        return BinarySet{*set_of(bytes())};
      case 8: {
        List list;
        const int size = *rc::gen::inRange(0, 4);
        for (int i = 0; i < size; ++i) list.push_back(*value(levels - 1));
        return list;
      }
      default: {
        Map map;
        const int size = *rc::gen::inRange(0, 4);
        for (int i = 0; i < size; ++i) map.insert_or_assign("n" + *text(), *value(levels - 1));
        return map;
      }
    }
  });
}

inline rc::Gen<Item> item() {
  return rc::gen::exec([] {
    Item item;
    const int size = *rc::gen::inRange(0, 6);
    for (int i = 0; i < size; ++i) item.insert_or_assign("n" + *text(), *value(3));
    return item;
  });
}

}  // namespace pawl::item::generate
