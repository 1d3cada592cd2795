// A parsed filter pattern: filter_parser.cc makes it, filter.cc matches with it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pawl::trigger {

struct FilterRule {
  enum class Kind : std::uint8_t {
    kText,
    kNumber,
    kTrue,
    kFalse,
    kNull,
    kPrefix,
    kSuffix,
    kIgnoreCase,
    kAnythingBut,  // a text or number that none of `others` matches
    kNumeric,      // all of `bounds` hold
    kExists,
    kMissing,
  };
  struct Bound {
    enum class Is : std::uint8_t { kLess, kAtMost, kEqual, kAtLeast, kGreater };
    Is is = Is::kEqual;
    double than = 0;
  };
  Kind kind = Kind::kNull;
  std::string text;
  double number = 0;
  std::vector<FilterRule> others;
  std::vector<Bound> bounds;
};

struct FilterNode {
  struct Field {
    std::string name;
    std::vector<FilterRule> rules;           // of a leaf
    std::unique_ptr<const FilterNode> node;  // else
  };
  std::vector<Field> fields;
  std::vector<std::unique_ptr<const FilterNode>> choices;  // of "$or"; empty: there is none
};

}  // namespace pawl::trigger
