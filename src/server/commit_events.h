// What the committer tells, handed to the recorder's board, and kept for the status page.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "pipeline/commit_board.h"
#include "table/committer.h"

namespace pawl::server {

// Called on the commit thread; the questions from any thread.
class CommitEvents final : public table::CommitListener {
 public:
  // `on_unknown` is called when nobody knows whether the last batch is durable: the process must end.
  CommitEvents(pipeline::CommitBoard& board, std::function<void(const std::string& why)> on_unknown)
      : board_(board), on_unknown_(std::move(on_unknown)) {}

  // Who else is told of a shard that has new changes. Set before anything is committed.
  void set_reader(std::function<void(ShardId)> reader) { reader_ = std::move(reader); }

  void published(std::span<const table::ShardAdvance> shards) override;
  void committed(std::span<const table::ShardAdvance> shards) override;
  void table_created(const table::TableDescription& table) override;
  void table_deleted(const table::TableDescription& table) override;
  void table_adopted(const table::TableDescription& table, Incarnation parent) override;
  void room_changed(bool enough, const std::string& why) override;
  void heartbeat(Instant at) override;
  void trim_failed(const Error& error) override;
  void failed(const std::string& why) override;

  // Why writes are refused for want of room, if they are.
  std::optional<std::string> no_room() const;
  std::optional<std::string> trim_error() const;

 private:
  pipeline::CommitBoard& board_;
  std::function<void(const std::string& why)> on_unknown_;
  std::function<void(ShardId)> reader_;
  mutable std::mutex mutex_;
  std::optional<std::string> no_room_;
  std::optional<std::string> trim_error_;
};

}  // namespace pawl::server
