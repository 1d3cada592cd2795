// Awaits the objects that somebody else's function writes for the changes that a reader has in hand, and says of each which
// object holds it: theirs, or one that Pawl is to put in, or none. The shell around expectation.h.
//
// Nothing need be kept between two readers: after a crash, or when the shard goes to another worker, the next one reads the same
// records and looks for the same objects. What the first one put meanwhile has the same name and bytes; if the function's object has
// come by then, that is what is entered, and Pawl's stands beside it unlisted.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "guard/expectation.h"
#include "guard/objects_taken.h"
#include "guard/rendered_change.h"
#include "port/clock.h"
#include "port/object_watch.h"

namespace pawl::guard {

struct ShardSource;

// All must outlive the worker.
struct CheckPorts {
  ObjectWatch& watch;
  ObjectsTaken& taken;  // of all readers of the worker
  CheckRules rules;
  // Of each change, when its page is durable. On the worker's executor.
  std::function<void(const RenderedChange&)> tell;
  // Where the rules ask again: gives these changes of a shard, in their order, to the function once more, and goes on at once; it
  // has `within` for it. They are offered after each look: whoever can be given a change only later is given it then, and
  // nobody twice. May be empty.
  std::function<void(const ShardSource&, std::span<const RenderedChange* const>, Duration within)>
      ask_again = {};
  // Of each of these, how many calls of the function were begun with it once more. Together with ask_again.
  std::function<std::vector<std::uint32_t>(const ShardSource&,
                                           std::span<const RenderedChange* const>)>
      given = {};
  // All of a shard through the record with this number is in durable pages: after a start, and after each page. May be empty.
  std::function<void(const ShardSource&, const std::string& source)> paged = {};
};

struct CheckCounts {
  std::uint64_t found = 0;    // somebody else's object
  std::uint64_t late = 0;     // of these, written after the deadline
  std::uint64_t missing = 0;  // no such object by the deadline
  // Of these, of removals: a function that passes them over leaves nothing.
  std::uint64_t removals = 0;
  std::uint64_t written = 0;      // of the missing, put in by Pawl
  std::uint64_t asked = 0;        // given to the function once more
  std::uint64_t redelivered = 0;  // of these, found after that

  void count(const RenderedChange& change);
};

struct AwaitingHooks {
  std::function<bool()> gives_up;         // asked after each wait and before each look
  std::function<void(std::string)> note;  // of looks that did not answer
  std::function<void()> before_wait;
  // As those of CheckPorts; may be empty.
  std::function<void(std::span<const RenderedChange* const>, Duration within)> ask_again = {};
  std::function<std::vector<std::uint32_t>(std::span<const RenderedChange* const>)> given = {};
};

// Returns when each change is settled: its entry names the object that holds it, or that is to be put (`to_put`). False: it gave up,
// and nothing is decided. `alarm` must ring when `gives_up` has changed.
Awaitable<bool> settle_expected(const CheckPorts& check, Clock& clock, Alarm& alarm,
                                std::deque<RenderedChange>& changes, AwaitingHooks hooks);

// Which of somebody else's objects stand for changes by what the ledger says: of a change whose page is durable, and of what
// is found at a chain's end.
void take_entered(ObjectsTaken& taken, const RenderedChange& change);
void take_entered(ObjectsTaken& taken, const ledger::ShardPage& page);

}  // namespace pawl::guard
