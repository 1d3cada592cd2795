// Sorts more records than memory holds: sorted runs go to unlinked temporary files and are merged.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pawl::audit {

// Pulls sorted records. One thread.
class SortedRecords {
 public:
  virtual ~SortedRecords() = default;
  // False at the end. `record` is valid until the next call.
  virtual Result<bool> next(std::string_view& record) = 0;
};

// Records are byte strings of at most 1 MiB, ordered byte by byte; equal ones are all kept. One
// thread. Add everything, then call drain() once. Nothing is left behind, whatever happens: the
// files have no name.
class ExternalSort {
 public:
  // `memory_max` bytes of records and their bookkeeping (at least 2 MiB is used), never more; `folder` for the
  // runs.
  ExternalSort(std::size_t memory_max, std::string folder);
  ~ExternalSort();
  ExternalSort(const ExternalSort&) = delete;
  ExternalSort& operator=(const ExternalSort&) = delete;

  // Errors: kExhausted if the folder has no room.
  Status add(std::string_view record);

  // Ends adding. What it returns must not outlive the sort.
  Result<std::unique_ptr<SortedRecords>> drain();

  std::uint64_t count() const { return count_; }
  std::size_t runs() const { return runs_.size(); }

  struct Run;
  struct Place {  // of a record in the arena
    std::size_t offset;
    std::uint32_t size;
  };

 private:
  Status spill();
  std::span<Place> places();
  void sort_held();

  std::size_t memory_max_;
  std::string folder_;
  // Of memory_max_ bytes, which the system gives page by page as they are used: records end to end from its start,
  // their places from its end. Nothing ever grows, so nothing is ever held twice.
  std::unique_ptr<char[]> arena_;
  std::size_t bytes_ = 0;  // of records in the arena
  std::size_t held_ = 0;   // records in the arena
  std::vector<std::unique_ptr<Run>> runs_;
  std::uint64_t count_ = 0;
};

}  // namespace pawl::audit
