// One family of metrics in Prometheus's text format 0.0.4: its head once, then a line for each set of labels.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace pawl::server {

// Stands for all that are not listed by name; no name may have parentheses.
inline constexpr std::string_view kOthers = "(others)";

class MetricFamily {
 public:
  // Writes the head. `out` and `name` must outlive it. `kind`: "gauge", "counter" or "histogram".
  MetricFamily(std::string& out, std::string_view name, std::string_view kind,
               std::string_view help);

  struct Label {
    std::string_view name;
    std::string_view
        value;  // printable ASCII without quotes and backslashes, as names of functions and queues are
  };
  using Labels = std::initializer_list<Label>;
  // `suffix`: of a histogram's lines, "_bucket" and its kin.
  void value(Labels labels, std::uint64_t value, std::string_view suffix = {});

 private:
  std::string& out_;
  std::string_view name_;
};

}  // namespace pawl::server
