// What was asked and how it ended: by operation and status, and how many requests were under way at once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace scripted {

class Counters {
 public:
  void begin(std::string_view operation);
  // `status` is 0 for a connection that was dropped.
  void end(std::string_view operation, int status);
  void reset();
  // {"requests":{"PutObject":{"200":5}},"at_once":{"now":0,"highest":3,"by_operation":{"PutObject":3}}}
  std::string to_json() const;

 private:
  struct Operation {
    std::map<int, std::uint64_t> by_status;
    std::uint64_t now = 0;
    std::uint64_t highest = 0;
  };
  std::map<std::string, Operation, std::less<>> operations_;
  std::uint64_t now_ = 0;
  std::uint64_t highest_ = 0;
};

}  // namespace scripted
