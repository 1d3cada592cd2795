// One round of what must be durable before it is answered: sends, deletions, changes of visibility; one batch, one sync, however
// many clients asked. Commands are planned in their order against the store and what the round has already changed.
#pragma once

#include <map>
#include <vector>

#include "port/random.h"
#include "queue/message_step.h"
#include "queue/queue_catalog.h"

namespace pawl::queue {

class MutationRound {
 public:
  MutationRound(KeyValueStore& store, QueueCatalog& catalog, Random& random, Instant now)
      : store_(store), catalog_(catalog), random_(random), now_(now) {}

  // `no_room`: sends are refused, and why. Errors: the store's, or kCorrupt; then the round is of no use: undo().
  Result<Answer> plan(const Command& command, const std::optional<Failure>& no_room);

  std::size_t bytes() const { return batch_.bytes(); }
  WriteBatch& finish();
  // A changed visibility alone needs no sync: a message that is handed out too early was only handed out twice.
  Sync sync() const { return must_sync_ ? Sync::kYes : Sync::kNo; }
  void undo();

 private:
  using Place = std::pair<std::uint64_t, std::uint64_t>;  // space, sequence

  Result<QueueShelf*> shelf_of(const std::string& name);
  EntryAnswer send(QueueShelf& shelf, const Send::Entry& entry);
  Result<EntryAnswer> remove(QueueShelf& shelf, const Receipt& receipt);
  Result<EntryAnswer> change(QueueShelf& shelf, const ChangeVisibility::Entry& entry);
  // What the round has made of a message, or what the store says; nothing if it is not there.
  Result<std::optional<MessageState>> state_of(const Receipt& receipt);
  MessageId new_id();

  KeyValueStore& store_;
  QueueCatalog& catalog_;
  Random& random_;
  Instant now_;
  WriteBatch batch_;
  bool must_sync_ = false;
  std::map<Place, std::optional<MessageState>> changed_;
  std::vector<std::pair<QueueShelf*, QueueShelf::Marks>> before_;
};

}  // namespace pawl::queue
