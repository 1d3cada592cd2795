// The items of a generated table and their whole history, without holding either: item number i at version v is a formula, and
// so is when it was written, in which lineage of shards, and under which sequence number.
//
// Item i belongs to lineage i % lineages. A lineage's writes are numbered from 0, version by version: write k of a lineage with n
// items is version k / n of its (k % n)-th item. They are spread evenly over [start, start + span]; what lies ahead of the
// server's clock has not happened yet. Table and stream agree at every instant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "item.h"
#include "json.h"

namespace scripted {

class ItemFormula {
 public:
  // {"items":…,"versions":…,"item_size":…,"shards":…,"ago_s":…,"span_s":…,"key_prefix":…,"key_digits":…,"version_attribute":…}.
  // `shards` 0: no history, every item is at its last version. Throws Refusal.
  ItemFormula(const Json& parameters, std::string partition_name, std::int64_t now_ms);

  std::uint64_t items() const { return items_; }
  std::uint64_t lineages() const { return lineages_; }

  // The number of an item with that key ({"S":"A0000001"}).
  std::optional<std::uint64_t> find(std::string_view partition_value) const;
  // Version that the table holds at `now_ms`; nothing if the item isn't there yet.
  std::optional<std::uint64_t> version_at(std::uint64_t item, std::int64_t now_ms) const;
  std::optional<Item> item_at(std::uint64_t item, std::int64_t now_ms) const;
  Item key(std::uint64_t item) const;

  void append_key(std::string& out, std::uint64_t item) const;  // {"hashid":{"S":"A0000001"}}
  void append_image(std::string& out, std::uint64_t item, std::uint64_t version) const;
  std::size_t item_size() const { return item_size_; }

  // A scan visits items in an order that has nothing to do with their keys; a bijection of [0, items).
  std::uint64_t item_at_position(std::uint64_t position) const;
  std::uint64_t position_of(std::uint64_t item) const;

  // Of a lineage: its items, its writes, how many had happened at `now_ms`, and when write `k` happened.
  std::uint64_t items_of(std::uint64_t lineage) const;
  std::uint64_t writes_of(std::uint64_t lineage) const { return items_of(lineage) * versions_; }
  std::uint64_t written_at(std::uint64_t lineage, std::int64_t now_ms) const;
  std::int64_t created_ms(std::uint64_t lineage, std::uint64_t k) const;

 private:
  std::uint64_t items_ = 0;
  std::uint64_t versions_ = 1;
  std::uint64_t lineages_ = 0;
  std::int64_t start_ms_ = 0;
  std::int64_t span_ms_ = 0;
  std::size_t item_size_ = 0;
  std::string key_prefix_;
  unsigned key_digits_ = 7;
  std::uint64_t step_ = 1;    // coprime to items_
  std::uint64_t unstep_ = 1;  // its inverse modulo items_
  std::string image_start_;   // {"hashid":{"S":"A
  std::string image_middle_;  // "},"pad":{"S":"xxx"},"version":{"N":"
  std::string partition_name_;
  std::string version_name_;
  std::string pad_;  // {"S":"xxx"}
};

}  // namespace scripted
