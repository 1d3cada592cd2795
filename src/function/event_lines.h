// Which asynchronous invocations are begun when, and whether one more may come: bookkeeping alone, without a clock and a disk.
//
// The events of a function stand in a line of their own, by the instant at which they are due. What holds (explored in
// event_lines_test.cc):
// - nothing is begun before it is due, nor twice at once; of a function never more than kEventsUnderWayMax;
// - a function that was not let run (throttled, say) is tried again with one event alone, after a second, doubled each time up
//   to five minutes, however many wait; once one was begun, the others follow;
// - a function may keep as much waiting as is still free: one that is stuck keeps at most half of all, two a third each, and
//   one that has nothing waiting finds room;
// - each step costs the logarithm of what waits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "function/event_step.h"

namespace pawl::function {

inline constexpr std::size_t kEventsMax = 10'000;
inline constexpr std::size_t kEventsUnderWayMax = 4;            // of a function
inline constexpr std::uint64_t kEventsBytesMax = 256ULL << 20;  // payloads together

using EventNumber = std::uint64_t;

// Not thread-safe. Functions are named by their ids.
class EventLines {
 public:
  bool has_room(std::uint64_t function, std::uint64_t bytes) const;
  void add(EventNumber number, std::uint64_t function, std::uint64_t bytes, Instant due);
  // What may begin now; it is under way from then on, until it is put back or removed.
  std::vector<EventNumber> take_due(Instant now);
  // What becomes of an event under way after an attempt, and of what waits behind it.
  EventDecision after(EventNumber number, const EventState& state, const InvocationResult& result,
                      Instant now);
  void put_back(EventNumber number, Instant due);
  void remove(EventNumber number);

  // When something may begin next, if no event ends before.
  std::optional<Instant> next() const;
  std::size_t size() const { return entries_.size(); }
  std::size_t size_of(std::uint64_t function) const;
  // Of each function that has any.
  std::map<std::uint64_t, std::uint64_t> sizes() const;
  // Why the function's last event was not done; empty if it was, or none was begun.
  std::string why_of(std::uint64_t function) const;

 private:
  struct Entry {
    std::uint64_t function = 0;
    std::uint64_t bytes = 0;
    Instant due;
    bool under_way = false;
  };
  struct Line {
    std::set<std::pair<Instant, EventNumber>> waiting;
    std::size_t under_way = 0;
    std::uint64_t bytes = 0;
    std::uint32_t refusals = 0;  // in a row
    Instant not_before;
    std::optional<Instant> begins;  // as it stands in begins_
    std::string why;
  };
  void place(std::uint64_t function, Line& line);

  std::map<EventNumber, Entry> entries_;
  std::map<std::uint64_t, Line> lines_;                 // none is empty
  std::set<std::pair<Instant, std::uint64_t>> begins_;  // of lines of which something may begin
  std::uint64_t bytes_ = 0;
};

}  // namespace pawl::function
