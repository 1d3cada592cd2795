// Who reads which state of the buckets. A file that an overwrite or a deletion has made unneeded must stay as long as somebody
// reads who looked its object up before: a body in ten thousand segments is not opened all at once.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "port/body_files.h"

namespace pawl::bucket {

// Thread-safe.
class ReadWatch : public std::enable_shared_from_this<ReadWatch> {
 public:
  // Held while something that was looked up after it was taken is being read.
  class Guard {
   public:
    explicit Guard(std::shared_ptr<ReadWatch> watch)
        : watch_(std::move(watch)), at_(watch_->enter()) {}
    ~Guard() { watch_->leave(at_); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    std::shared_ptr<ReadWatch> watch_;
    std::uint64_t at_;
  };
  std::shared_ptr<Guard> guard() { return std::make_shared<Guard>(shared_from_this()); }

  // Nobody who looks from now on finds these files; readers from before may.
  void retire(std::vector<BodyNumber> files) {
    if (files.empty()) return;
    const std::lock_guard lock(mutex_);
    retired_.emplace_back(now_++, std::move(files));
  }
  // Those that nobody can be reading any more; each is given once.
  std::vector<BodyNumber> take_free() {
    std::vector<BodyNumber> free;
    const std::lock_guard lock(mutex_);
    while (!retired_.empty() &&
           (readers_.empty() || retired_.front().first < readers_.begin()->first)) {
      free.insert(free.end(), retired_.front().second.begin(), retired_.front().second.end());
      retired_.pop_front();
    }
    return free;
  }

 private:
  std::uint64_t enter() {
    const std::lock_guard lock(mutex_);
    ++readers_[now_];
    return now_;
  }
  void leave(std::uint64_t at) {
    const std::lock_guard lock(mutex_);
    const auto found = readers_.find(at);
    if (--found->second == 0) readers_.erase(found);
  }

  std::mutex mutex_;
  std::uint64_t now_ = 0;                           // counts retirements
  std::map<std::uint64_t, std::uint64_t> readers_;  // how many came at which
  std::deque<std::pair<std::uint64_t, std::vector<BodyNumber>>> retired_;
};

}  // namespace pawl::bucket
