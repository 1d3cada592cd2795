// The part of membership.h that reads a listing of the rows: who is there, what is still held, who is to be fenced.
#pragma once

#include <vector>

#include "guard/membership.h"

namespace pawl::guard {

// Takes the listing over as the newest view of the rows, except of rows that a write of ours was answered for after the listing
// began. False: the own row is not what it should be, so that this life is over. To be called in phase kIn.
[[nodiscard]] bool take_listing(Membership& membership, const RowsListed& event,
                                MonotonicInstant now, std::vector<MembershipEffect>& effects);

}  // namespace pawl::guard
