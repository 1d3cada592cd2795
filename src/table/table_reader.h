// Reads: GetItem, BatchGetItem, TransactGetItems, Query, Scan. They see synced state only, and
// never wait for the committer. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "expression/expression.h"
#include "item/value.h"
#include "table/command.h"
#include "table/table_definition.h"

namespace pawl::table {

inline constexpr std::size_t kPageBytesMax =
    1024 * 1024;  // of one Query or Scan page, before filtering

// One page's worth of a Query or Scan.
struct PageRequest {
  std::string table;
  std::optional<expression::KeyCondition> key_condition;  // Query; nothing for a Scan
  bool forward = true;
  std::optional<expression::Condition> filter;
  std::optional<expression::Projection> projection;
  bool count_only = false;
  std::optional<std::uint32_t> limit;  // items to look at, from 1
  std::optional<item::Item> exclusive_start_key;
  std::uint32_t segment = 0;         // Scan: which of
  std::uint32_t total_segments = 1;  //       how many, up to 1,000,000
};

struct Page {
  std::vector<item::Item> items;
  std::size_t count = 0;          // items that passed the filter
  std::size_t scanned_count = 0;  // items looked at
  std::size_t scanned_bytes = 0;
  std::optional<item::Item> last_evaluated_key;
};

template <typename T>
using ReadResult = std::variant<T, Failure>;

class TableReader {
 public:
  virtual ~TableReader() = default;
  // The key schema and settings, for the wire layer to check requests against. kNoSuchTable.
  virtual ReadResult<TableDescription> describe(std::string_view table) const = 0;
  // Names in byte order, after `start` (exclusive), at most `limit`.
  virtual std::vector<std::string> list(std::string_view start, std::size_t limit) const = 0;

  virtual ReadResult<std::optional<item::Item>> get(std::string_view table,
                                                    const item::Item& key) const = 0;
  // All of one snapshot; answers in order. At most 100 keys.
  virtual ReadResult<std::vector<std::optional<item::Item>>> get_many(
      const std::vector<std::pair<std::string, item::Item>>& keys) const = 0;
  virtual ReadResult<Page> page(const PageRequest& request) const = 0;
};

// Where the wire layer hands commands over. Thread-safe and never blocks: a full queue calls done
// with a rendered kBusy.
class CommandSink {
 public:
  virtual ~CommandSink() = default;
  virtual void submit(Command command) = 0;
};

}  // namespace pawl::table
