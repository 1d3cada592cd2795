// One table: items that were written, over those of a formula where it is a generated one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "item.h"
#include "item_formula.h"
#include "shard.h"

namespace scripted {

class Table {
 public:
  Table(std::string name, KeySchema schema, std::int64_t now_ms,
        std::shared_ptr<const ItemFormula> formula);

  const std::string& name() const { return name_; }
  const std::string& id() const { return id_; }
  std::string arn() const { return "arn:aws:dynamodb:us-east-1:000000000000:table/" + name_; }
  const KeySchema& schema() const { return schema_; }
  std::int64_t created_ms() const { return created_ms_; }
  std::uint64_t about_items() const;

  std::optional<Item> find(const Item& key, std::int64_t now_ms) const;
  void put(const Item& item);
  void erase(const Item& key);

  // One page of a scan: of segment `segment` of `segments`, after a key. At most `count_max` items, or the first ones that
  // make more than 1 MB (API reference, Scan).
  struct ScanPage {
    std::vector<Item> items;
    std::optional<Item> last;  // the key to go on after; nothing: this was the end
  };
  ScanPage scan(std::uint64_t segment, std::uint64_t segments, const std::optional<Item>& after,
                std::uint64_t count_max, std::int64_t now_ms) const;

  // How rows are kept and scanned: by a hash of the partition key, so in no order of keys (developer guide, "Scanning tables").
  static std::uint64_t hash_of(const KeySchema& schema, const Item& key);

  std::string stream_arn;  // the newest; "" = it has none
  View view = View::kNewAndOldImages;
  std::string
      replica;  // another region that holds it, as DescribeTable names it (developer guide, "Global tables")

 private:
  struct Scan;
  using Row =
      std::pair<std::uint64_t, std::string>;  // hash of the partition key, whole key as text
  Row row_of(const Item& key) const { return {hash_of(schema_, key), item_json(key)}; }
  std::optional<std::uint64_t> formula_item(const Item& key) const;
  bool scan_formula(Scan& scan, const std::optional<Item>& after) const;
  void scan_written(Scan& scan, const std::optional<Item>& after) const;

  std::string name_;
  KeySchema schema_;
  std::int64_t created_ms_;
  std::string id_;
  std::shared_ptr<const ItemFormula> formula_;
  std::map<Row, Item> written_;
  std::set<Row> erased_;  // items of the formula
};

}  // namespace scripted
