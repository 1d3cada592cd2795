#include "fault/memory_key_value_store.h"

#include <algorithm>

namespace pawl {

const std::string* MemoryKeyValueStore::visible(const Revisions& revisions, std::uint64_t at) {
  for (auto it = revisions.rbegin(); it != revisions.rend(); ++it) {
    if (it->at <= at) return it->value ? &*it->value : nullptr;
  }
  return nullptr;
}

// Sees the revisions up to the write after which it was made. Nodes of the map stay while any
// cursor is open, so its iterator stays valid.
class MemoryKeyValueStore::SnapshotCursor final : public Cursor {
 public:
  SnapshotCursor(MemoryKeyValueStore& store, KeySpace space)
      : store_(store), space_(store.space_of(space)), at_(store.now_), position_(space_.end()) {}
  ~SnapshotCursor() override {
    const std::lock_guard lock(store_.mutex_);
    --store_.open_cursors_;
  }

  void seek(std::string_view key) override {
    const std::lock_guard lock(store_.mutex_);
    position_ = space_.lower_bound(key);
    settle_forward();
  }
  void seek_for_prev(std::string_view key) override {
    const std::lock_guard lock(store_.mutex_);
    position_ = space_.upper_bound(key);
    step_back();
  }
  void next() override {
    const std::lock_guard lock(store_.mutex_);
    PAWL_ASSERT(value_ != nullptr);
    ++position_;
    settle_forward();
  }
  void prev() override {
    const std::lock_guard lock(store_.mutex_);
    PAWL_ASSERT(value_ != nullptr);
    step_back();
  }
  bool valid() const override { return value_ != nullptr; }
  std::string_view key() const override {
    PAWL_ASSERT(value_ != nullptr);
    return position_->first;
  }
  std::string_view value() const override {
    PAWL_ASSERT(value_ != nullptr);
    return current_;
  }
  Status status() const override { return ok(); }

 private:
  void settle_forward() {
    value_ = nullptr;
    for (; position_ != space_.end(); ++position_) {
      if (take()) return;
    }
  }
  void step_back() {
    value_ = nullptr;
    while (position_ != space_.begin()) {
      --position_;
      if (take()) return;
    }
    position_ = space_.end();
  }
  bool take() {
    const std::string* found = visible(position_->second, at_);
    if (found == nullptr) return false;
    current_ = *found;  // a copy: a write may grow the revisions under the caller's view
    value_ = &current_;
    return true;
  }

  MemoryKeyValueStore& store_;
  const Space& space_;
  std::uint64_t at_;
  Space::const_iterator position_;
  std::string current_;
  const std::string* value_ = nullptr;
};

Result<std::optional<std::string>> MemoryKeyValueStore::get(KeySpace space, std::string_view key) {
  const std::lock_guard lock(mutex_);
  const Space& keys = space_of(space);
  const auto it = keys.find(key);
  if (it == keys.end()) return std::optional<std::string>();
  return it->second.back().value;
}

Result<std::vector<std::optional<std::string>>> MemoryKeyValueStore::multi_get(
    KeySpace space, const std::vector<std::string_view>& keys) {
  std::vector<std::optional<std::string>> values;
  values.reserve(keys.size());
  for (const std::string_view key : keys) {
    PAWL_ASSIGN_OR_RETURN(auto value, get(space, key));
    values.push_back(std::move(value));
  }
  return values;
}

std::unique_ptr<Cursor> MemoryKeyValueStore::cursor(KeySpace space) {
  const std::lock_guard lock(mutex_);
  ++open_cursors_;
  return std::make_unique<SnapshotCursor>(*this, space);
}

WriteResult MemoryKeyValueStore::write(const WriteBatch& batch, Sync sync) {
  const std::lock_guard lock(mutex_);
  if (stopped_) {
    return {WriteOutcome::kNotDone,
            "the outcome of an earlier write is unknown; the store must be opened again"};
  }
  const auto fault = static_cast<StoreWriteFault>(
      plan_ == nullptr ? 0 : plan_->choose(FaultPoint::kStoreWrite, kStoreWriteFaults));
  switch (fault) {
    case StoreWriteFault::kNone:
      break;
    case StoreWriteFault::kNotDone:
      return {WriteOutcome::kNotDone, "writing a batch: injected: no space left on device"};
    case StoreWriteFault::kUnknownApplied:
      in_doubt_ = batch;
      [[fallthrough]];
    case StoreWriteFault::kUnknownNotApplied:
      stopped_ = true;
      return {WriteOutcome::kUnknown, "syncing a batch: injected: input/output error"};
  }
  Undo undo;
  apply(batch, &undo);
  if (sync == Sync::kYes) {
    unsynced_.clear();
    ++syncs_;
  } else {
    unsynced_.push_back(std::move(undo));
  }
  return {WriteOutcome::kDone, {}};
}

Status MemoryKeyValueStore::remove_range(KeySpace space, std::string_view from,
                                         std::string_view to) {
  const std::lock_guard lock(mutex_);
  if (stopped_) {
    return Error{ErrorCode::kUnavailable,
                 "removing a range: the outcome of an earlier write is unknown",
                 "open the store again"};
  }
  forget_old_revisions();
  ++now_;
  std::vector<std::string> keys;
  const Space& all = space_of(space);
  for (auto it = all.lower_bound(from); it != all.end() && it->first < to; ++it) {
    if (it->second.back().value) keys.push_back(it->first);
  }
  Undo undo;
  undo.is_removal = true;
  for (const std::string& key : keys) set(space, key, std::nullopt, &undo);
  if (!undo.entries.empty()) unsynced_.push_back(std::move(undo));
  return ok();
}

Result<Room> MemoryKeyValueStore::room() {
  const std::lock_guard lock(mutex_);
  return room_;
}

void MemoryKeyValueStore::set_room(Room room) {
  const std::lock_guard lock(mutex_);
  room_ = room;
}

std::size_t MemoryKeyValueStore::size(KeySpace space) const {
  const std::lock_guard lock(mutex_);
  const Space& keys = space_of(space);
  return static_cast<std::size_t>(std::count_if(keys.begin(), keys.end(), [](const auto& entry) {
    return entry.second.back().value.has_value();
  }));
}

void MemoryKeyValueStore::crash() {
  const std::lock_guard lock(mutex_);
  PAWL_ASSERT(open_cursors_ == 0);
  std::size_t kept = 0;
  if (in_doubt_) {
    kept = unsynced_.size();  // what is there proves that all before it is there
  } else if (plan_ != nullptr && !unsynced_.empty()) {
    kept = plan_->choose(FaultPoint::kStoreCrash, unsynced_.size() + 1);
  }
  const bool half = kept < unsynced_.size() && unsynced_[kept].is_removal && plan_ != nullptr &&
                    plan_->choose(FaultPoint::kStoreRemoval, 2) == 1;
  ++now_;
  for (std::size_t i = unsynced_.size(); i > kept; --i) {
    auto& entries = unsynced_[i - 1].entries;
    for (std::size_t j = entries.size(); j > 0; --j) {
      if (half && i - 1 == kept && j % 2 == 0) continue;
      set(entries[j - 1].space, entries[j - 1].key, std::move(entries[j - 1].before), nullptr);
    }
  }
  unsynced_.clear();
  if (in_doubt_) apply(*std::exchange(in_doubt_, std::nullopt), nullptr);
  stopped_ = false;
  forget_old_revisions();
}

void MemoryKeyValueStore::apply(const WriteBatch& batch, Undo* undo) {
  forget_old_revisions();
  ++now_;
  for (const WriteBatch::Entry& entry : batch.entries()) {
    if (entry.kind == WriteBatch::Kind::kPut) {
      set(entry.space, entry.key, entry.value, undo);
    } else {
      set(entry.space, entry.key, std::nullopt, undo);
    }
  }
}

void MemoryKeyValueStore::set(KeySpace space, std::string_view key,
                              std::optional<std::string> value, Undo* undo) {
  Space& keys = space_of(space);
  auto it = keys.lower_bound(key);
  const bool exists = it != keys.end() && it->first == key;
  if (undo != nullptr) {
    undo->entries.push_back(
        {space, std::string(key), exists ? it->second.back().value : std::optional<std::string>()});
  }
  if (!exists) {
    if (!value) return;
    keys.emplace_hint(it, std::string(key), Revisions{Revision{now_, std::move(value)}});
    return;
  }
  if (open_cursors_ > 0) {
    it->second.push_back({now_, std::move(value)});
    stale_.emplace(space, std::string(key));
  } else if (value) {
    it->second = {Revision{now_, std::move(value)}};
  } else {
    keys.erase(it);
  }
}

void MemoryKeyValueStore::forget_old_revisions() {
  if (open_cursors_ > 0) return;
  for (const auto& [space, key] : stale_) {
    Space& keys = space_of(space);
    const auto it = keys.find(key);
    if (it == keys.end()) continue;
    if (!it->second.back().value) {
      keys.erase(it);
    } else if (it->second.size() > 1) {
      it->second.erase(it->second.begin(), it->second.end() - 1);
    }
  }
  stale_.clear();
}

}  // namespace pawl
