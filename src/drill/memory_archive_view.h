// The archive that the memory stores hold, as an auditor sees one: the names and bytes that a directory would have.
#pragma once

#include <map>
#include <string>

#include "fault/memory_ledger_store.h"
#include "fault/memory_object_store.h"
#include "port/archive_view.h"

namespace pawl::drill {

// A copy, taken when it is made.
class MemoryArchiveView final : public ArchiveView {
 public:
  MemoryArchiveView(const MemoryObjectStore& objects, const MemoryLedgerStore& ledger,
                    std::string_view archive, Instant created);

  std::string describe() const override { return "the archive in memory"; }
  Status list(std::string_view prefix, const std::function<bool(const Entry&)>& visit) override;
  Result<std::optional<std::string>> read(std::string_view name, std::uint64_t offset,
                                          std::size_t size_max) override;

 private:
  std::map<std::string, std::string, std::less<>> files_;
};

}  // namespace pawl::drill
