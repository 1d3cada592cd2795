// The world of the mappings, made of tables, queues and buckets: what src/trigger/trigger_ports.h asks for.
#pragma once

#include "port/clock.h"
#include "port/random.h"
#include "queue/command.h"
#include "server/bucket_place.h"
#include "stream/read_holds.h"
#include "table/table_store.h"
#include "trigger/trigger_ports.h"

namespace pawl::server {

// How far a shard of the stream `label` reaches; `floor` and `newest` are the log's. Nothing if the stream is not there any more.
std::optional<trigger::SourceExtent> extent_of(const table::TableRecord& table, Instant label,
                                               std::uint32_t shard, SequenceNumber floor,
                                               SequenceNumber newest);

// Thread-safe. All must outlive it.
class TableStreams final : public trigger::MappingStreams {
 public:
  TableStreams(const table::TableStore& tables, stream::ReadHolds& holds)
      : tables_(tables), holds_(holds) {}

  std::optional<trigger::SourceExtent> extent(const trigger::MappingSource& source,
                                              std::uint32_t shard) const override;
  Status read(const trigger::MappingSource& source, std::uint32_t shard, SequenceNumber after,
              std::size_t count_max, const Visit& visit) const override;
  std::string shard_name(const trigger::MappingSource& source, std::uint32_t shard) const override;
  void hold(const trigger::MappingId& mapping, ShardId shard, SequenceNumber after) override;
  void lift(const trigger::MappingId& mapping, ShardId shard) override;

 private:
  const table::TableStore& tables_;
  stream::ReadHolds& holds_;
};

// Failures into queues and buckets of this server. Thread-safe. All must outlive it and what it was given.
class LocalDestinations final : public trigger::FailureDestinations {
 public:
  LocalDestinations(queue::CommandSink& queues, BucketPlace& buckets)
      : queues_(queues), buckets_(buckets) {}
  void deliver(trigger::FailureNotice notice, std::function<void(Status)> done) override;

 private:
  void send(trigger::FailureNotice notice, std::function<void(Status)> done);
  void put(const trigger::FailureNotice& notice, const std::function<void(Status)>& done);

  queue::CommandSink& queues_;
  BucketPlace& buckets_;
};

}  // namespace pawl::server
