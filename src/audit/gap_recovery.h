// Which of the versions that a bucket lacks still are somewhere, and until when: in the change stream of the table, whose
// records have the item after the change and, in the next change's, before it; and in the table, if it is the newest.
//
// The holes are kept in memory, in order; records of the stream are looked up in them. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "audit/gap_list.h"
#include "audit/name_pattern.h"
#include "port/table_stream.h"

namespace pawl::audit {

struct Recovery {
  enum class Source : std::uint8_t {
    kStream,    // the new image of the change that made the version
    kOldImage,  // the old image of the change after it
    kTable,     // the item as it is now
  };
  std::uint64_t version = 0;
  Source source = Source::kStream;
  std::optional<Instant>
      until;  // from then on it may be gone at any moment; nothing: until the item's next write
  std::string shard;     // of the stream
  std::string sequence;  // of the record
};

class GapRecovery {
 public:
  // `pattern` must outlive it. `memory_max` bytes for holes and what is found for them.
  GapRecovery(const NamePattern& pattern, std::size_t memory_max)
      : pattern_(pattern), memory_max_(memory_max) {}

  // In the order of GapList::drain(). Errors: kExhausted.
  Status add(const Gap& gap);
  bool empty() const { return holes_.empty(); }

  // A record of the stream. Errors: kExhausted.
  Status see(const std::string& shard, const StreamRecord& record);
  // Records whose images can't be read, or lack what a name is made of.
  std::uint64_t unreadable() const { return unreadable_; }

  // Every hole with what was found for it, by version. Once.
  Status drain(const std::function<Status(const Gap&, const std::vector<Recovery>&)>& visit);

 private:
  struct Item {
    std::string head;
    std::string tail;
    std::size_t first_hole = 0;
    friend auto operator<=>(const Item& a, const Item& b) {
      return std::tie(a.head, a.tail) <=> std::tie(b.head, b.tail);
    }
  };
  struct Hole {
    Gap::Kind kind = Gap::Kind::kBetween;
    VersionRange versions;
    std::optional<std::uint64_t> table_version;
  };
  struct Found {
    std::size_t hole = 0;
    Recovery recovery;
  };
  Status look_up(const std::string& image, Recovery recovery);
  Status take(std::size_t bytes);

  const NamePattern& pattern_;
  std::size_t memory_max_;
  std::size_t memory_ = 0;  // about
  std::vector<Item> items_;
  std::vector<Hole> holes_;
  std::vector<Found> found_;
  std::uint64_t unreadable_ = 0;
};

}  // namespace pawl::audit
