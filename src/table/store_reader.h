// TableReader over the ordered store: every read is of a snapshot of synced state.
#pragma once

#include "port/key_value_store.h"
#include "table/catalog.h"
#include "table/table_reader.h"

namespace pawl::table {

class StoreReader final : public TableReader {
 public:
  // Both must outlive it.
  StoreReader(KeyValueStore& store, const Catalog& catalog) : store_(store), catalog_(catalog) {}

  ReadResult<TableDescription> describe(std::string_view table) const override;
  std::vector<std::string> list(std::string_view start, std::size_t limit) const override;
  ReadResult<std::optional<item::Item>> get(std::string_view table,
                                            const item::Item& key) const override;
  ReadResult<std::vector<std::optional<item::Item>>> get_many(
      const std::vector<std::pair<std::string, item::Item>>& keys) const override;
  ReadResult<Page> page(const PageRequest& request) const override;

 private:
  ReadResult<Page> walk(const TableRecord& table, const PageRequest& request) const;

  KeyValueStore& store_;
  const Catalog& catalog_;
};

}  // namespace pawl::table
