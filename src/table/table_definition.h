// What a table is, as the catalog keeps it and the root chain of the ledger records it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/instant.h"
#include "item/key.h"
#include "table/table_stream.h"

namespace pawl::table {

// Partitions of a table unless its configuration says otherwise. They are units of order, not of
// parallelism: one committer serves them all, so a few are enough. Fixed for the table's life.
inline constexpr std::uint16_t kPartitionsDefault = 4;
inline constexpr std::uint16_t kPartitionsMax = 1024;
inline constexpr std::size_t kTablesMax = 2500;  // the service's default quota of tables a region

// How a table's versions are recorded. Chosen at creation from the configuration.
struct RecordSettings {
  bool record = true;         // whether the archiver records this table
  std::string name_template;  // of objects, see archive/object_naming.h
  bool operator==(const RecordSettings&) const = default;
};

struct TableDefinition {
  std::string name;  // 3 to 255 of [a-zA-Z0-9_.-]
  item::KeySchema schema;
  std::uint16_t partitions = kPartitionsDefault;
  std::optional<StreamView>
      stream;                   // as the client asked; every change is kept with both images anyway
  bool pay_per_request = true;  // shown by DescribeTable only
  std::uint64_t read_units = 0;  // of provisioned tables; shown, never enforced
  std::uint64_t write_units = 0;
  bool deletion_protected = false;
  RecordSettings record;
  bool operator==(const TableDefinition&) const = default;
};

struct TableDescription {
  TableDefinition definition;
  Incarnation incarnation;
  Instant created;
  std::optional<Instant> stream_enabled;  // the label of the stream's ARN
  std::optional<Incarnation> parent;      // the one that this one was adopted or restored from
  std::uint64_t item_count = 0;           // exact, as of the last commit
  std::uint64_t size_bytes = 0;           // sum of item sizes (item/item_size.h)
};

}  // namespace pawl::table
