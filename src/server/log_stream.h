// A table of this server as the guard sees one: the change log as its stream, from the first change that is left on and with whole
// images, whatever stream the client has switched on; and its items as they are now. So that guard/worker.h can watch over what a
// function of this server writes (server/supervision.h), in this process and without a request.
//
// Sequence numbers are the change log's (stream/sequence_text.h); shards have their ids (base/ids.h); a shard ends with its table.
#pragma once

#include <optional>
#include <string>

#include "port/source_table.h"
#include "port/table_stream.h"
#include "table/table_store.h"

namespace pawl::server {

// One life of a table has one stream: "pawl:change-log/<incarnation>".
std::string log_stream_arn(Incarnation incarnation);

// Reads synced changes only, at once. Any thread. The tables must outlive it.
class LogStream final : public TableStream {
 public:
  LogStream(const table::TableStore& tables, Incarnation incarnation)
      : tables_(tables), incarnation_(incarnation) {}

  Awaitable<StreamResult<StreamShardPage>> shards(std::string arn, std::string after) override;
  Awaitable<StreamResult<std::string>> iterator(std::string arn, std::string shard,
                                                StreamPosition position) override;
  Awaitable<StreamResult<StreamRecordPage>> records(std::string iterator,
                                                    std::size_t count_max) override;
  // The change of that number; nothing if it is trimmed, or has not come yet. Errors: the log's.
  Result<std::optional<StreamRecord>> record_at(ShardId shard, SequenceNumber sequence) const;

 private:
  const table::TableStore& tables_;
  Incarnation incarnation_;
};

// The table of that name, as long as it is this life of it.
class LogTable final : public SourceTable {
 public:
  LogTable(const table::TableStore& tables, Incarnation incarnation)
      : tables_(tables), incarnation_(incarnation) {}

  Awaitable<Result<SourceTableFacts>> describe() override;
  Awaitable<Result<std::optional<std::string>>> get(std::string key) override;
  Awaitable<Result<std::vector<std::optional<std::string>>>> get_many(
      std::vector<std::string> keys) override;
  Awaitable<Result<SourceItems>> scan(std::uint32_t segment, std::uint32_t segments,
                                      std::string after,
                                      std::vector<std::string> attributes) override;

 private:
  Result<table::TablePtr> active() const;
  Result<std::optional<std::string>> get_now(const std::string& key) const;

  const table::TableStore& tables_;
  Incarnation incarnation_;
};

}  // namespace pawl::server
