// Event filters of a mapping: which changes the function is called for at all. A change that matches no filter counts as
// delivered; it is neither buffered nor retried.
//
// The language is that of Lambda's event filtering, which is EventBridge's: an object that names fields, down to arrays of
// rules; a field matches if any of its rules does, an object if all of its fields do, an array of the event if any of its
// elements does. Rules: a text, number, true, false or null as it is; {"prefix": …}, {"suffix": …}, {"equals-ignore-case": …},
// {"anything-but": …} (a value, several, or {"prefix": …} or {"suffix": …}), {"numeric": ["<", 5, …]}, {"exists": …}; and "$or"
// beside fields: a list of objects of which one must match.
// Numbers of items are texts in a record ({"N": "7"}), so `numeric` does not see them, as in the service.
// Source: AWS Lambda developer guide, "Control which events Lambda sends to your function"; EventBridge user guide, "Comparison
// operators".
//
// Pure. What matching costs is bounded by the pattern's size (kFilterBytesMax) times the record's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pawl::trigger {

inline constexpr std::size_t kFiltersMax = 5;
inline constexpr std::size_t kFilterBytesMax = 4096;
inline constexpr std::size_t kFilterDepthMax = 32;  // of JSON

struct FilterNode;

class FilterPattern {
 public:
  // Errors: kInvalid, saying which rule is wrong.
  static Result<FilterPattern> parse(std::string_view json);

  // `record` as the function would be given it. Thread-safe.
  bool matches(std::string_view record) const;

 private:
  explicit FilterPattern(std::shared_ptr<const FilterNode> root) : root_(std::move(root)) {}
  friend class Filter;
  std::shared_ptr<const FilterNode> root_;
};

// All filters of a mapping: one must match. None: everything does.
class Filter {
 public:
  static Result<Filter> parse(const std::vector<std::string>& patterns);
  bool passes_all() const { return patterns_.empty(); }
  // Errors: kCorrupt where a record is no JSON. It is neither a match nor none: it must not be passed over.
  Result<bool> matches(std::string_view record) const;

 private:
  std::vector<FilterPattern> patterns_;
};

}  // namespace pawl::trigger
