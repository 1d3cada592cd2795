// How many requests may be under way at once: more while the store takes them, half when it asks for fewer. Additive
// increase, multiplicative decrease; pure.
#pragma once

#include <algorithm>
#include <cstddef>

namespace pawl {

class RequestWindow {
 public:
  static constexpr std::size_t kFirst = 16;
  static constexpr std::size_t kMost = 128;

  std::size_t size() const { return size_; }

  // One more request was answered. The window grows by one for each whole window of these.
  void taken() {
    if (hold_ > 0) --hold_;
    if (++since_ < size_) return;
    since_ = 0;
    size_ = std::min(size_ + 1, kMost);
  }
  // The store asked for fewer, or did not answer. What was under way then tells the same thing: it counts once.
  void slow_down() {
    if (hold_ > 0) {
      --hold_;
      return;
    }
    hold_ = size_;
    since_ = 0;
    size_ = std::max<std::size_t>(size_ / 2, 1);
  }

 private:
  std::size_t size_ = kFirst;
  std::size_t since_ = 0;  // answers since it last changed
  std::size_t hold_ =
      0;  // answers still to come of requests that were under way at the last decrease
};

}  // namespace pawl
