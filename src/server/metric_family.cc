#include "server/metric_family.h"

#include <fmt/format.h>

#include <iterator>

namespace pawl::server {

MetricFamily::MetricFamily(std::string& out, std::string_view name, std::string_view kind,
                           std::string_view help)
    : out_(out), name_(name) {
  fmt::format_to(std::back_inserter(out_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, kind);
}

void MetricFamily::value(Labels labels, std::uint64_t value, std::string_view suffix) {
  out_.append(name_).append(suffix);
  char before = '{';
  for (const Label& label : labels) {
    fmt::format_to(std::back_inserter(out_), "{}{}=\"{}\"", before, label.name, label.value);
    before = ',';
  }
  if (labels.size() > 0) out_.push_back('}');
  fmt::format_to(std::back_inserter(out_), " {}\n", value);
}

}  // namespace pawl::server
