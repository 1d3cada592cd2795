#include "counters.h"

#include <fmt/format.h>

#include <algorithm>

namespace scripted {

void Counters::begin(std::string_view name) {
  const auto found = operations_.find(name);
  Operation& operation =
      found != operations_.end() ? found->second : operations_[std::string(name)];
  operation.highest = std::max(operation.highest, ++operation.now);
  highest_ = std::max(highest_, ++now_);
}

void Counters::end(std::string_view name, int status) {
  Operation& operation = operations_.find(name)->second;
  ++operation.by_status[status];
  --operation.now;
  --now_;
}

// What is under way stays counted as under way.
void Counters::reset() {
  for (auto& [name, operation] : operations_) {
    operation.by_status.clear();
    operation.highest = operation.now;
  }
  highest_ = now_;
}

std::string Counters::to_json() const {
  std::string requests;
  std::string highest;
  for (const auto& [name, operation] : operations_) {
    std::string statuses;
    for (const auto& [status, count] : operation.by_status)
      statuses += fmt::format("{}\"{}\":{}", statuses.empty() ? "" : ",", status, count);
    if (!statuses.empty())
      requests += fmt::format("{}\"{}\":{{{}}}", requests.empty() ? "" : ",", name, statuses);
    if (operation.highest > 0)
      highest += fmt::format("{}\"{}\":{}", highest.empty() ? "" : ",", name, operation.highest);
  }
  return fmt::format(
      R"({{"requests":{{{}}},"at_once":{{"now":{},"highest":{},"by_operation":{{{}}}}}}})",
      requests, now_, highest_, highest);
}

}  // namespace scripted
