// The images that fill holes, kept from when a record of the stream has shown them until they are put: a second reading could
// come too late, and would cost a request for each. They are records of an external sort, so memory is bounded whatever they
// take; the rest is in files without a name, gone with the process.
//
// Filled by GapRecovery, taken in the order in which it drains. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "audit/external_sort.h"
#include "audit/gap_recovery.h"

namespace pawl::audit {

class ImageSpool {
 public:
  ImageSpool(std::size_t memory_max, std::string folder) : sort_(memory_max, std::move(folder)) {}

  // Errors: kExhausted if the folder has no room.
  Status add(std::size_t hole, const Recovery& where, std::string_view image);
  // Nothing more is added. Once.
  Status begin_taking();
  // Sets `image` to what was added for `hole` and `where`; false if nothing was. Calls must be in the order of
  // GapRecovery::drain(); any may be left out.
  Result<bool> take(std::size_t hole, const Recovery& where, std::string& image);

 private:
  ExternalSort sort_;
  std::unique_ptr<SortedRecords> records_;
  std::string_view record_;  // the next that was not taken; "" = none is left
  std::string key_;          // for reuse
};

}  // namespace pawl::audit
