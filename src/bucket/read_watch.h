// Who reads which bodies. A file that an overwrite or a deletion has made unneeded must stay as long as somebody reads who looked
// its object up before: a body in ten thousand segments is not opened all at once. And it must not stay because somebody else reads
// something else, for days perhaps: who knows which files it reads holds these alone.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "port/body_files.h"

namespace pawl::bucket {

// Thread-safe; each guard is for one thread at a time.
class ReadWatch : public std::enable_shared_from_this<ReadWatch> {
 public:
  // At first it holds whatever is retired after it was taken: whatever may be looked up now.
  class Guard {
   public:
    explicit Guard(std::shared_ptr<ReadWatch> watch)
        : watch_(std::move(watch)), at_(watch_->enter()) {}
    ~Guard() {
      if (narrowed_) {
        watch_->let_go(files_);
      } else {
        watch_->leave(at_);
      }
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

    // From now on it holds these files alone, which were looked up since it was taken. Once.
    void narrow(std::vector<BodyNumber> files) {
      watch_->hold(files);
      watch_->leave(at_);
      files_ = std::move(files);
      narrowed_ = true;
    }

   private:
    std::shared_ptr<ReadWatch> watch_;
    std::uint64_t at_;
    bool narrowed_ = false;
    std::vector<BodyNumber> files_;
  };
  std::shared_ptr<Guard> guard() { return std::make_shared<Guard>(shared_from_this()); }

  // Nobody who looks from now on finds these files; readers from before may.
  void retire(std::vector<BodyNumber> files) {
    if (files.empty()) return;
    const std::lock_guard lock(mutex_);
    retired_.emplace_back(now_++, std::move(files));
  }
  // At most `max` of those that nobody can be reading any more; each is given once.
  std::vector<BodyNumber> take_free(std::size_t max) {
    std::vector<BodyNumber> free;
    const std::lock_guard lock(mutex_);
    while (free.size() < max && !let_go_.empty()) {
      free.push_back(let_go_.back());
      let_go_.pop_back();
    }
    while (free.size() < max && !retired_.empty() &&
           (readers_.empty() || retired_.front().first < readers_.begin()->first)) {
      std::vector<BodyNumber>& files = retired_.front().second;
      while (free.size() < max && !files.empty()) {
        const BodyNumber file = files.back();
        files.pop_back();
        const auto held = held_.find(file);
        if (held == held_.end()) {
          free.push_back(file);
        } else {
          held->second.retired = true;
        }
      }
      if (files.empty()) retired_.pop_front();
    }
    return free;
  }

 private:
  struct Held {
    std::uint64_t readers = 0;
    bool retired = false;  // free as soon as nobody reads it
  };

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
  void hold(const std::vector<BodyNumber>& files) {
    const std::lock_guard lock(mutex_);
    for (const BodyNumber file : files) ++held_[file].readers;
  }
  void let_go(const std::vector<BodyNumber>& files) {
    const std::lock_guard lock(mutex_);
    for (const BodyNumber file : files) {
      const auto found = held_.find(file);
      if (--found->second.readers > 0) continue;
      if (found->second.retired) let_go_.push_back(file);
      held_.erase(found);
    }
  }

  std::mutex mutex_;
  std::uint64_t now_ = 0;                           // counts retirements
  std::map<std::uint64_t, std::uint64_t> readers_;  // how many came at which, and may read anything
  std::map<BodyNumber, Held> held_;                 // by those who know what they read
  std::deque<std::pair<std::uint64_t, std::vector<BodyNumber>>> retired_;
  std::vector<BodyNumber> let_go_;  // retired, then let go by their last reader
};

}  // namespace pawl::bucket
