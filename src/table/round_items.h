// The items that one commit round touches: read from the store once, changed in memory by one
// command after the other, and written once at the end, however often they were changed.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "port/key_value_store.h"
#include "table/evaluation.h"
#include "table/item_format.h"

namespace pawl::table {

class RoundItems {
 public:
  // One item of the round. Its address is stable until the round's end.
  struct Entry {
    const std::string* key = nullptr;  // see item_format.h
    ItemState state;                   // as the round has left it so far
    KeyHistory stored;                 // as the store has it
    bool loaded = false;
    bool touched = false;  // in the list of those to be written, if its history moved
  };

  // Asks for an item, to be read by the next load().
  Entry* want(const std::string& key);
  // Reads what was asked for and is not there yet. After an error the round can't go on.
  Status load(KeyValueStore& store);

  // The entry was changed: its present state is to be written at the end.
  void touch(Entry* entry);
  // Puts, deletions and counters, in the order in which the items were first touched.
  void append_to(WriteBatch& batch) const;

 private:
  Status load_items(KeyValueStore& store, std::vector<Entry*>& absent);
  static Status load_counters(KeyValueStore& store, const std::vector<Entry*>& absent);

  std::unordered_map<std::string, Entry> entries_;
  std::vector<Entry*> wanted_;
  std::vector<Entry*> touched_;
};

}  // namespace pawl::table
