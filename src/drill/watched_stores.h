// The memory stores with a witness beside each: what the promise checkers see of a run. Every effect is logged, may be the
// last one of its process, and is told to the witness; nothing is changed on the way.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drill/effect_log.h"
#include "drill/stopped_store.h"
#include "fault/memory_key_value_store.h"
#include "fault/memory_ledger_store.h"
#include "fault/memory_object_store.h"

namespace pawl::drill {

// What is told of effects on the stores. "Will": before it is done, and perhaps it won't be.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void will_write(const WriteBatch& batch) = 0;
  virtual void will_remove(KeySpace space, std::string_view from, std::string_view to) = 0;
  virtual void will_set_aside(std::span<const std::string> names) = 0;
  // A page that a sync has made durable, or that was found after a crash.
  virtual void page_durable(std::string_view chain, std::string_view line) = 0;
  // After a crash: how many pages of a chain are there.
  virtual void chain_found(std::string_view chain, std::size_t pages) = 0;
};

class WatchedKeyValueStore final : public KeyValueStore {
 public:
  WatchedKeyValueStore(MemoryKeyValueStore& inner, EffectLog& log, Witness& witness)
      : inner_(inner), log_(log), witness_(witness) {}

  Result<std::optional<std::string>> get(KeySpace space, std::string_view key) override {
    return inner_.get(space, key);
  }
  Result<std::vector<std::optional<std::string>>> multi_get(
      KeySpace space, const std::vector<std::string_view>& keys) override {
    return inner_.multi_get(space, keys);
  }
  std::unique_ptr<Cursor> cursor(KeySpace space) override { return inner_.cursor(space); }
  WriteResult write(const WriteBatch& batch, Sync sync) override;
  Status remove_range(KeySpace space, std::string_view from, std::string_view to) override;
  Result<Room> room() override { return inner_.room(); }

 private:
  MemoryKeyValueStore& inner_;
  EffectLog& log_;
  Witness& witness_;
};

class WatchedObjectStore final : public ObjectStore {
 public:
  WatchedObjectStore(MemoryObjectStore& inner, EffectLog& log, Witness& witness, Clock& clock)
      : inner_(inner), log_(log), witness_(witness), stopped_(clock) {}

  // No put or sync is answered for this long.
  void stop_for(Duration time) { stopped_.stop_for(time); }

  Awaitable<std::vector<PutResult>> put_if_absent(std::span<const PutRequest> requests) override;
  Awaitable<Result<std::optional<std::string>>> get(std::string_view name,
                                                    std::size_t size_max) override {
    return inner_.get(name, size_max);
  }
  Awaitable<Status> set_aside(std::span<const std::string> names) override;
  Result<std::optional<std::uint64_t>> free_bytes() override { return inner_.free_bytes(); }

 private:
  MemoryObjectStore& inner_;
  EffectLog& log_;
  Witness& witness_;
  StoppedStore stopped_;
};

class WatchedLedgerStore final : public LedgerStore {
 public:
  WatchedLedgerStore(MemoryLedgerStore& inner, EffectLog& log, Witness& witness, Clock& clock)
      : inner_(inner), log_(log), witness_(witness), stopped_(clock) {}

  // No put or sync is answered for this long.
  void stop_for(Duration time) { stopped_.stop_for(time); }

  Awaitable<Result<std::vector<std::string>>> chains() override { return inner_.chains(); }
  Awaitable<Result<ChainEnd>> end_of(std::string_view chain) override {
    return inner_.end_of(chain);
  }
  Awaitable<Status> read(std::string_view chain,
                         std::function<bool(std::string_view line)> visit) override {
    return inner_.read(chain, std::move(visit));
  }
  Awaitable<Status> append(std::span<const PageAppend> pages) override;
  Awaitable<Status> start_volume(std::string_view chain) override;
  Awaitable<Status> sync() override;
  Awaitable<Status> reopen() override;
  Awaitable<Status> cut(std::string_view chain) override;
  Awaitable<Status> put_tip(std::string_view line) override;
  Awaitable<Result<std::optional<std::string>>> tip() override { return inner_.tip(); }

  // The power goes: tells the witness what is there afterwards.
  void crash();

 private:
  MemoryLedgerStore& inner_;
  EffectLog& log_;
  Witness& witness_;
  StoppedStore stopped_;
  std::vector<std::pair<std::string, std::string>> unsynced_;      // chain, line
  std::map<std::string, std::size_t, std::less<>> pages_durable_;  // told to the witness
};

}  // namespace pawl::drill
