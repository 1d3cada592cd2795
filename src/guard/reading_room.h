// How many shards of one worker may have records in hand at once: what bounds its memory, however many shards it reads and
// however far behind they are. A reader takes a seat before it asks for records, and gives it up when none came or all of
// them are in durable pages. While the archive can't be written the seats are taken, and the others wait without reading.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "port/clock.h"

namespace pawl::guard {

// Records and rendered bodies of a seat are some MB at most: an answer is 1 MB (port/table_stream.h).
inline constexpr std::size_t kReadersSeated = 32;

// One executor. Must outlive its seats. First come, first served.
class ReadingRoom {
 public:
  // Given up by its destructor.
  class Seat {
   public:
    Seat() = default;
    explicit Seat(ReadingRoom& room) : room_(&room) {}
    Seat(Seat&& other) noexcept : room_(std::exchange(other.room_, nullptr)) {}
    Seat& operator=(Seat&& other) noexcept {
      std::swap(room_, other.room_);
      return *this;
    }
    ~Seat() {
      if (room_ != nullptr) room_->free();
    }
    explicit operator bool() const { return room_ != nullptr; }

   private:
    ReadingRoom* room_ = nullptr;
  };

  ReadingRoom(Clock& clock, std::size_t seats) : clock_(clock), free_(seats) {}
  ReadingRoom(const ReadingRoom&) = delete;
  ReadingRoom& operator=(const ReadingRoom&) = delete;

  // No seat where `gives_up` says so; it is asked whenever `alarm` rings, which only the caller waits on.
  Awaitable<Seat> take(Alarm& alarm, std::function<bool()> gives_up);

  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    Alarm* alarm = nullptr;
    bool seated = false;
  };

  void free();

  Clock& clock_;
  std::size_t free_;
  std::deque<Waiting*> waiting_;
};

}  // namespace pawl::guard
