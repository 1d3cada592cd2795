// What is missing between two states of an item that ought to follow each other, and how much of it is still known: the rungs
// of the ladder after a gap (docs/internals/guard.md, "After a gap"). Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "base/digest.h"

namespace pawl::audit {

// An item at one moment.
struct ItemState {
  bool exists = false;
  std::optional<std::uint64_t> version;  // by the version attribute, where the image has one
  std::optional<Digest> image;           // nothing: it is not known
};

// At least one of the two.
struct Loss {
  bool put_back = false;              // the later state is itself missing, and its image is known
  bool lost = false;                  // and this exists nowhere:
  std::optional<std::uint64_t> from;  // without it, nobody can say which versions
  std::optional<std::uint64_t> to;    // included
  bool removed = false;               // a removal is among it
};

// `known` is the last state that is archived, `next` a later one that must have come of it by changes that are archived, too:
// where they are the same, nothing is missing (or nothing that anybody could tell). Of what is lost never more is said than
// is certain: where an item may have been removed and inserted again meanwhile, no versions are named.
std::optional<Loss> judge_loss(const ItemState& known, const ItemState& next);

}  // namespace pawl::audit
