// Pages of names: objects of a bucket, and its uploads under way. A page costs what it shows, not what the bucket holds: what a
// delimiter rolls up into one prefix is passed over with one seek.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bucket/bucket_format.h"
#include "port/key_value_store.h"
#include "port/object_shelf.h"

namespace pawl::bucket {

inline constexpr std::size_t kPageMax = 1000;

struct ListQuery {
  std::string prefix;     // only names that begin with it
  std::string delimiter;  // empty: none. Names that have it behind the prefix are rolled up
  std::string after;     // names greater than this; a rolled-up prefix: names behind all of its own
  std::string after_id;  // uploads: with `after`, behind this upload of that name
  std::size_t max = kPageMax;  // names and prefixes together
  bool goes_on = false;        // it is a page behind another: see ObjectShelf::walk
};

struct ListedObject {
  std::string key;
  ObjectRecord record;
};
struct ListedUpload {
  std::string key;
  std::string id;
  UploadRecord record;
};
struct ListedPart {
  unsigned number = 0;
  PartRecord record;
};

template <typename Entry>
struct Page {
  std::vector<Entry> entries;         // in the order of their bytes
  std::vector<std::string> prefixes;  // likewise
  bool truncated = false;             // there is more
  std::string last;                   // the greatest of both: `after` of the next page
  std::string last_id;                // uploads
};

// Errors: the store's, or kCorrupt. Any thread; a consistent snapshot.
Result<Page<ListedObject>> list_objects(KeyValueStore& store, std::string_view bucket,
                                        const ListQuery& query);
Result<Page<ListedUpload>> list_uploads(KeyValueStore& store, std::string_view bucket,
                                        const ListQuery& query);
// The names of an archive, by the same rules; `record` says how long an object is, and when it was put. May wait for the disk.
Result<Page<ListedObject>> list_shelf(ObjectShelf& shelf, const ListQuery& query);
// Parts with numbers above `after`; at most `max`, of which one more tells whether the page is truncated.
Result<Page<ListedPart>> list_parts(KeyValueStore& store, std::string_view id, unsigned after,
                                    std::size_t max);

}  // namespace pawl::bucket
