// Cuts what a process writes into lines, bounded: a longer line comes in pieces.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace pawl {

class LineSplitter {
 public:
  static constexpr std::size_t kLineMax = 64 * 1024;

  // Calls `line` with each line that `bytes` completes, without its end ("\n" or "\r\n").
  template <typename F>
  void feed(std::string_view bytes, F&& line) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const auto take = std::min(std::min(end, bytes.size()), kLineMax - rest_.size());
      rest_.append(bytes.substr(0, take));
      bytes.remove_prefix(take);
      if (!bytes.empty() && bytes[0] == '\n') {
        bytes.remove_prefix(1);
        if (rest_.ends_with('\r')) rest_.pop_back();
        emit(line);
      } else if (rest_.size() == kLineMax) {
        emit(line);
      }
    }
  }
  // What has come of a line that has not ended.
  template <typename F>
  void flush(F&& line) {
    if (!rest_.empty()) emit(line);
  }

 private:
  template <typename F>
  void emit(F& line) {
    line(std::string_view(rest_));
    rest_.clear();
  }

  std::string rest_;
};

}  // namespace pawl
