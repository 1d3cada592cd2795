// The part of membership.h that decides what a worker takes and what it gives back, by the rows as they are known.
#pragma once

#include <vector>

#include "guard/membership.h"

namespace pawl::guard {

// Takes free shards up to the fair share, releases the surplus, takes the root if it is free, repeats releases and
// finishes that were not done, and ends the life when that was asked for and nothing is held any more. To be called in phase
// kIn after anything that it looks at has changed; it is idle where nothing is to be done.
void balance(Membership& membership, MonotonicInstant now, std::vector<MembershipEffect>& effects);

// What is known of the row may be old: it is acted on no more until it is listed, which is to be soon. It still counts.
void doubt_view(Membership& membership, const Membership::Write& write, MonotonicInstant now);

}  // namespace pawl::guard
