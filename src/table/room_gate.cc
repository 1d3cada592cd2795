#include "table/room_gate.h"

namespace pawl::table {

bool RoomGate::check(KeyValueStore& store, MonotonicInstant now) {
  if (asked_ && now - *asked_ < kInterval) return false;
  asked_ = now;
  const bool before = enough_;
  const Result<Room> room = store.room();
  if (!room.ok()) {
    enough_ = false;
    why_ = "the free room is not known: " + room.error().message;
    return before != enough_;
  }
  const auto needed = [before](std::uint64_t reserve) {
    return before ? reserve : reserve + reserve / 100 * kHysteresisPercent;
  };
  const bool bytes = room->free_bytes >= needed(reserve_.bytes);
  const bool inodes = room->free_inodes >= needed(reserve_.inodes);
  enough_ = bytes && inodes;
  if (enough_) {
    why_.clear();
  } else if (!bytes) {
    why_ = std::to_string(room->free_bytes) + " bytes are free, and " +
           std::to_string(reserve_.bytes) + " are held in reserve";
  } else {
    why_ = std::to_string(room->free_inodes) + " inodes are free, and " +
           std::to_string(reserve_.inodes) + " are held in reserve";
  }
  return before != enough_;
}

}  // namespace pawl::table
