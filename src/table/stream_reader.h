// Reads of streams: which there are, how far their shards reach, and what is in them. They see synced state only, and never
// wait for the committer. Thread-safe.
//
// Where it stands: the committer writes the change log, and this shows stretches of it (table_stream.h) to the wire layer. A
// table has as many shards as partitions, each open as long as its stream. What lies before a shard's horizon is trimmed, or
// was before the stream began.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "port/clock.h"
#include "stream/change_log.h"
#include "table/catalog.h"

namespace pawl::table {

// A readable stream. Holds its table's state of that moment; the stream may end meanwhile.
struct Stream {
  TablePtr table;
  const TableStream* facts = nullptr;  // in *table

  const std::string& table_name() const { return table->record.definition.name; }
  std::uint32_t shards() const { return table->record.definition.partitions; }
};

// How far one of its shards reaches. begin <= horizon <= newest.
struct ShardExtent {
  SequenceNumber begin;    // the stream begins behind this change
  SequenceNumber horizon;  // the first change that can be read is the one behind this
  SequenceNumber newest;   // the newest that can be read
  std::optional<SequenceNumber>
      last;  // the last of all, of a stream that has ended; then it is `newest`, too
};

struct ShardRead {
  SequenceNumber through;  // where the next read goes on
  bool ended = false;      // nothing will ever come behind it
};

class StreamReader {
 public:
  virtual ~StreamReader() = default;

  // In order of table name, then label; of one table if `table` is not empty, open or ended or deleted. Those behind
  // (`after_table`, `after_label`) only; at most `limit`.
  virtual std::vector<Stream> list(std::string_view table, std::string_view after_table,
                                   std::string_view after_label, std::size_t limit) const = 0;
  // By the parts of its ARN, or by what an iterator says. Nothing if it never was, or has run out.
  virtual std::optional<Stream> find(std::string_view table, std::string_view label) const = 0;
  virtual std::optional<Stream> find(Incarnation incarnation, Instant label) const = 0;

  // `number` is below shards(). Nothing if the stream has run out meanwhile.
  virtual std::optional<ShardExtent> extent(const Stream& stream, std::uint32_t number) const = 0;
  // The changes behind `after` (nothing: behind the horizon), in order, as ChangeLog::visit() gives them. A visit that
  // returns false leaves its change for the next read. Errors: kNotFound for one that has run out; kExhausted if changes
  // behind `after` were trimmed; kInvalid if `after` is behind the end; kCorrupt and the store's.
  virtual Result<ShardRead> read(const Stream& stream, std::uint32_t number,
                                 std::optional<SequenceNumber> after, std::size_t count_max,
                                 const stream::ChangeLog::Visit& visit) const = 0;
};

class StoreStreamReader final : public StreamReader {
 public:
  // All must outlive it.
  StoreStreamReader(const Catalog& catalog, const stream::ChangeLog& log, Clock& clock,
                    Duration retention)
      : catalog_(catalog), log_(log), clock_(clock), retention_(retention) {}

  std::vector<Stream> list(std::string_view table, std::string_view after_table,
                           std::string_view after_label, std::size_t limit) const override;
  std::optional<Stream> find(std::string_view table, std::string_view label) const override;
  std::optional<Stream> find(Incarnation incarnation, Instant label) const override;
  std::optional<ShardExtent> extent(const Stream& stream, std::uint32_t number) const override;
  Result<ShardRead> read(const Stream& stream, std::uint32_t number,
                         std::optional<SequenceNumber> after, std::size_t count_max,
                         const stream::ChangeLog::Visit& visit) const override;

 private:
  const Catalog& catalog_;
  const stream::ChangeLog& log_;
  Clock& clock_;
  const Duration retention_;
};

}  // namespace pawl::table
