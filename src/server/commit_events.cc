#include "server/commit_events.h"

#include "observe/log.h"

namespace pawl::server {

void CommitEvents::committed(std::span<const table::ShardAdvance> shards) {
  for (const auto& shard : shards) board_.committed(shard.shard, shard.newest);
}

void CommitEvents::published(std::span<const table::ShardAdvance> shards) {
  if (!reader_) return;
  for (const auto& shard : shards) reader_(shard.shard);
}

void CommitEvents::table_created(const table::TableDescription& table) {
  observe::info("table created",
                {{"table", table.definition.name}, {"incarnation", table.incarnation.to_string()}});
}

void CommitEvents::table_deleted(const table::TableDescription& table) {
  observe::info("table deleted",
                {{"table", table.definition.name}, {"incarnation", table.incarnation.to_string()}});
}

void CommitEvents::table_adopted(const table::TableDescription& table, Incarnation parent) {
  observe::info("table adopted", {{"table", table.definition.name},
                                  {"incarnation", table.incarnation.to_string()},
                                  {"parent", parent.to_string()}});
}

void CommitEvents::room_changed(bool enough, const std::string& why) {
  if (enough) {
    observe::info("writes are taken again: there is room", {});
  } else {
    observe::alarm("writes are refused for want of room", {{"why", why}});
  }
  const std::lock_guard lock(mutex_);
  no_room_ = enough ? std::nullopt : std::optional(why);
}

void CommitEvents::heartbeat(Instant at) { board_.heartbeat(at); }

void CommitEvents::trim_failed(const Error& error) {
  observe::alarm("removing old change records failed: nothing is lost, room is",
                 {{"why", error.to_string()}});
  const std::lock_guard lock(mutex_);
  trim_error_ = error.to_string();
}

void CommitEvents::failed(const std::string& why) { on_unknown_(why); }

std::optional<std::string> CommitEvents::no_room() const {
  const std::lock_guard lock(mutex_);
  return no_room_;
}

std::optional<std::string> CommitEvents::trim_error() const {
  const std::lock_guard lock(mutex_);
  return trim_error_;
}

}  // namespace pawl::server
