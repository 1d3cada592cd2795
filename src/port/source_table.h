// A table that somebody else keeps: what there is to know of it, and its items as they are now. The newest version of an
// item is one rung of the repair ladder, and what an archive's newest version is compared with.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "port/clock.h"
#include "port/table_stream.h"

namespace pawl {

struct SourceKey {
  std::string name;
  char type = 'S';  // 'S', 'N' or 'B'
};

struct SourceTableFacts {
  std::string name;
  std::string arn;
  std::string
      id;  // changes when a table of that name is created anew; "" where the engine has none
  Instant created;
  SourceKey partition;
  std::optional<SourceKey> sort;
  std::uint64_t item_count = 0;  // about: the service counts every six hours
  std::uint64_t bytes = 0;
  std::optional<StreamFacts> stream;  // the newest; nothing: the table has none
  // Regions that hold replicas, of a global table (version 2019.11.21: API reference, TableDescription); at most 64.
  std::vector<std::string> replicas;
};

// One page of a scan. Items are DynamoDB JSON objects.
struct SourceItems {
  std::vector<std::string> items;
  std::string
      next;  // opaque: the key that the next page starts after, as DynamoDB JSON; "" = the end
};

// Read-only. One executor; coroutines may overlap on it. Errors: kNotFound (no such table), kInvalid (credentials may not, a
// person must help), kUnavailable.
class SourceTable {
 public:
  virtual ~SourceTable() = default;
  virtual Awaitable<Result<SourceTableFacts>> describe() = 0;
  // The item under a key (DynamoDB JSON), read consistently; nothing if there is none.
  virtual Awaitable<Result<std::optional<std::string>>> get(std::string key) = 0;
  // Up to 100 keys at once; one answer a key, in order. Consistent reads.
  virtual Awaitable<Result<std::vector<std::optional<std::string>>>> get_many(
      std::vector<std::string> keys) = 0;
  // Whole items, eventually consistent, about 1 MB a page; `segment` of `segments` for parallel scans. With `attributes`
  // not empty only those (top-level names) are returned.
  virtual Awaitable<Result<SourceItems>> scan(std::uint32_t segment, std::uint32_t segments,
                                              std::string after,
                                              std::vector<std::string> attributes) = 0;
};

}  // namespace pawl
