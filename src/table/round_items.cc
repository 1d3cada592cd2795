#include "table/round_items.h"

#include "base/assert.h"
#include "item/item_size.h"

namespace pawl::table {

using State = KeyHistory::State;

RoundItems::Entry* RoundItems::want(const std::string& key) {
  const auto [place, is_new] = entries_.try_emplace(key);
  Entry& entry = place->second;
  if (is_new) {
    entry.key = &place->first;
    wanted_.push_back(&entry);
  }
  return &entry;
}

Status RoundItems::load(KeyValueStore& store) {
  if (wanted_.empty()) return ok();
  std::vector<Entry*> absent;
  PAWL_TRY(load_items(store, absent));
  if (!absent.empty()) PAWL_TRY(load_counters(store, absent));
  wanted_.clear();
  return ok();
}

Status RoundItems::load_items(KeyValueStore& store, std::vector<Entry*>& absent) {
  std::vector<std::string_view> keys;
  keys.reserve(wanted_.size());
  for (const Entry* entry : wanted_) keys.push_back(*entry->key);
  PAWL_ASSIGN_OR_RETURN(const auto values, store.multi_get(KeySpace::kItems, keys));
  PAWL_ASSERT(values.size() == keys.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    Entry* entry = wanted_[i];
    entry->loaded = true;
    if (!values[i]) {
      absent.push_back(entry);
      continue;
    }
    PAWL_ASSIGN_OR_RETURN(StoredItem stored, decode_stored_item(*values[i]));
    entry->stored = {.state = State::kPresent, .version = stored.version};
    entry->state = {.history = entry->stored,
                    .item = std::make_shared<const item::Item>(std::move(stored.item)),
                    .size = 0};
    entry->state.size = item::size_of(*entry->state.item);
  }
  return ok();
}

Status RoundItems::load_counters(KeyValueStore& store, const std::vector<Entry*>& absent) {
  std::vector<std::string_view> keys;
  keys.reserve(absent.size());
  for (const Entry* entry : absent) keys.push_back(*entry->key);
  PAWL_ASSIGN_OR_RETURN(const auto values, store.multi_get(KeySpace::kDeletedVersions, keys));
  PAWL_ASSERT(values.size() == keys.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    PAWL_ASSIGN_OR_RETURN(const Version version, decode_deleted_version(*values[i]));
    absent[i]->stored = {.state = State::kDeleted, .version = version};
    absent[i]->state.history = absent[i]->stored;
  }
  return ok();
}

void RoundItems::touch(Entry* entry) {
  if (entry->touched) return;
  entry->touched = true;
  touched_.push_back(entry);
}

void RoundItems::append_to(WriteBatch& batch) const {
  for (const Entry* entry : touched_) {
    const KeyHistory& now = entry->state.history;
    PAWL_ASSERT(now != entry->stored && now.state != State::kNever);
    PAWL_ASSERT((now.state == State::kPresent) == (entry->state.item != nullptr));
    if (now.state == State::kPresent) {
      if (entry->stored.state == State::kDeleted) {
        batch.erase(KeySpace::kDeletedVersions, *entry->key);
      }
      batch.put(KeySpace::kItems, *entry->key, encode_stored_item(now.version, *entry->state.item));
    } else {
      if (entry->stored.state == State::kPresent) batch.erase(KeySpace::kItems, *entry->key);
      batch.put(KeySpace::kDeletedVersions, *entry->key, encode_deleted_version(now.version));
    }
  }
}

}  // namespace pawl::table
