// Which objects somebody else's function still owes for the changes that a reader has in hand, and what is to be said of each
// in the end: a pure step around which expected_objects.h looks. It carries the promises of `pawl guard check`:
//
//   awaited --seen, whole, written after the change--> found
//           --seen absent after its deadline---------> overdue
//   (a later change in hand has the same name) ------> replaced
//
// Where the rules say so (a function of this server can be given a change once more), there is a step before *overdue*:
//
//   awaited --seen absent after its deadline--> asked again --seen absent one deadline after that--> overdue
//                                                    └─ a call was begun with it --seen absent one deadline after that--> overdue
//
// To ask is not to give: a function may be busy until then, or one of its mappings only come to the change. So what is asked
// again has one deadline to be given to whoever can take it, and a call that was begun in that time has one of its own: three
// deadlines at most, and a little.
//
// Invariants:
//   overdue only on the store's own word that the object is not there, given after the deadline: no answer is no word;
//   found only with the digest of one whole content, written no earlier than the change (but for kClockSlack) and not taken
//   for an earlier change already: what an earlier life of the item left under the name proves nothing of this one;
//   of changes in hand under one name only the last can be found: an object holds one content;
//   a change is asked again once at most, and only on the store's own word; one that is replaced never is: what the function
//     would write of it stands in the later one's place;
//   what was given has a deadline from its last call on; nothing that nobody could be given is waited for after the second;
//   *given* is a change only that a call was begun with before the look that says so.
//
// Whose clocks: a change's instant is the stream's, in whole seconds; an object's time and the time of a look are the store's.
// Ours is not asked, but for the pauses between looks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "port/object_watch.h"

namespace pawl::guard {

// Whole seconds, and how far the clocks of two services may differ.
inline constexpr Duration kClockSlack = std::chrono::seconds(2);
// A change's instant is rounded down.
inline constexpr Duration kInstantStep = std::chrono::seconds(1);
// Between looks: doubled from the first to the last.
inline constexpr Duration kLookAgainFirst = std::chrono::milliseconds(250);
inline constexpr Duration kLookAgainLast = std::chrono::seconds(5);

struct CheckRules {
  Duration deadline = std::chrono::seconds(60);  // from the change's instant on
  bool writes = true;                            // what is overdue is put in; false: only told
  bool asks_again =
      false;  // what is not there at its deadline is asked for once more, and has another
  std::string_view how = "guard check";  // what the entry of an object that was put in says
};

struct Expected {
  enum class State : std::uint8_t { kAwaited, kFound, kOverdue, kReplaced };
  State state = State::kAwaited;
  Instant instant;                       // of the change
  ObjectSeen object;                     // where found
  bool late = false;                     // found, and written after its deadline
  std::optional<Instant> asked = {};     // again: when the store said that it was not there
  std::uint32_t given = 0;               // calls that were begun with it since, as far as is known
  std::optional<Instant> given_at = {};  // the last of them: not before
};

// Regular value type. Its members are for reading; only take() writes them.
struct Expectation {
  Duration deadline{};
  bool asks_again = false;
  std::vector<Expected> changes;
  Duration pause = kLookAgainFirst;
  MonotonicInstant look_at;  // not before

  // The deadline that it came by if it is not late; the one by which what is asked again is to be given; and the one that is
  // waited for now.
  Instant first_due(const Expected& change) const;
  Instant give_until(const Expected& change) const;
  Instant due(const Expected& change) const;
};

struct NamedInstant {
  std::string_view name;
  Instant instant;
};

// Of changes in their order.
Expectation expect(std::span<const NamedInstant> changes, Duration deadline,
                   bool asks_again = false);

// Which to look for now, or at `look_at`. None: all is settled.
std::vector<std::size_t> awaited(const Expectation& expectation);
// The `not_before` to look with.
Instant counts_from(const Expected& change);

// What a look at these has seen, in order; of what is there, whether it stands for an earlier change; and how many calls had been
// begun with the change once more when the look began (none of them after give_until()).
struct Looked {
  ObjectSeen seen;
  bool taken = false;
  std::uint32_t given = 0;
};
// The answer: those of them that are to be asked again now.
std::vector<std::size_t> take(Expectation& expectation, std::span<const std::size_t> changes,
                              std::span<const Looked> looks, MonotonicInstant now);

}  // namespace pawl::guard
