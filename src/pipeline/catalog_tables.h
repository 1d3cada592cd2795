// The recorder's ports to the table folder: which tables there are, and how one is adopted.
#pragma once

#include <memory>
#include <optional>

#include "pipeline/adopt.h"
#include "pipeline/recorded_tables.h"
#include "table/catalog.h"
#include "table/committer.h"

namespace pawl::pipeline {

// Both must outlive it.
class CatalogTables final : public RecordedTables {
 public:
  CatalogTables(const table::Catalog& catalog, table::Committer& committer)
      : catalog_(catalog), committer_(committer) {}

  std::uint64_t revision() override;
  std::vector<RecordedTable> tables() override;
  std::vector<RecordedTable> listed() const override;
  Awaitable<Status> closed(Incarnation incarnation) override;

 private:
  const table::Catalog& catalog_;
  table::Committer& committer_;
  std::shared_ptr<const table::CatalogView>
      seen_;  // held, so that its address means this view alone
  std::uint64_t revision_ = 0;
};

// Adopts by a command to the committer, which must be running. Sink and clock must outlive it.
class CommandAdopt final : public AdoptTarget {
 public:
  CommandAdopt(table::CommandSink& sink, Clock& clock) : sink_(sink), clock_(clock) {}

  // Errors: kUnavailable where it was refused, kUnknown where nobody knows.
  Awaitable<Status> adopt(RecordedTable table, std::map<ShardId, SequenceNumber> archived) override;

 private:
  table::CommandSink& sink_;
  Clock& clock_;
};

}  // namespace pawl::pipeline
