// Which of the versions that a bucket lacks still are somewhere, and until when: in the change stream of the table, whose
// records have the item after the change and, in the next change's, before it; and in the table, if it is the newest.
//
// The holes are kept in memory, in order; records of the stream are looked up in them. The images themselves are kept only
// where somebody wants them (image_spool.h). One thread.
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

// "stream", "old-image", "table": in documents and bodies.
const char* name_of(Recovery::Source source);

class ImageSpool;

class GapRecovery {
 public:
  // `pattern` must outlive it, and `images`, which may be null. `memory_max` bytes for holes and what is found for them.
  GapRecovery(const NamePattern& pattern, std::size_t memory_max, ImageSpool* images = nullptr)
      : pattern_(pattern), memory_max_(memory_max), images_(images) {}

  // In the order of GapList::drain(). Errors: kExhausted.
  Status add(const Gap& gap);
  bool empty() const { return holes_.empty(); }

  // A record of the stream. Errors: kExhausted.
  Status see(const std::string& shard, const StreamRecord& record);
  // An item of the table as it is now. Errors: kExhausted, those of the spool.
  Status see_table(const std::string& image);
  // Each item of which a missing version is in the table and, by what was seen so far, nowhere else.
  Status only_in_table(const std::function<Status(ItemName)>& visit) const;

  // Records whose images can't be read, or lack what a name is made of.
  std::uint64_t unreadable() const { return unreadable_; }

  // Every hole with what was found for it: by version, then in the order of Recovery::Source. `hole` counts from 0. Once.
  using Visit = std::function<Status(const Gap&, const std::vector<Recovery>&, std::size_t hole)>;
  Status drain(const Visit& visit);

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
    VersionDigits digits;
    bool in_table() const {
      return table_version && *table_version >= versions.from && *table_version <= versions.to;
    }
  };
  struct Found {
    std::size_t hole = 0;
    Recovery recovery;
  };
  Status look_up(const std::string& image, Recovery recovery);
  Status take(std::size_t bytes);

  const NamePattern& pattern_;
  std::size_t memory_max_;
  ImageSpool* images_;
  std::size_t memory_ = 0;  // about
  std::vector<Item> items_;
  std::vector<Hole> holes_;
  std::vector<Found> found_;
  std::uint64_t unreadable_ = 0;
};

}  // namespace pawl::audit
