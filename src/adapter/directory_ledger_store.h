// Ledger chains as files of an archive directory: .pawl/ledger/<chain>/<volume>.pages, volumes
// 00000000, 00000001, … See port/ledger_store.h for the contract and
// docs/internals/archive-format.md for the layout.
//
// Only the end of the last volume may be torn; a hole in the volumes or an earlier one without its
// newline is kCorrupt. Before every append a volume must be exactly as long as this store left it:
// a file that somebody else changed is never written to.
//
// What survives a crash: every page before the last good sync(), which is one fdatasync for one
// volume and one syncfs for several (measured: as fast as one fsync).
#pragma once

#include <map>
#include <memory>

#include "adapter/archive_directory.h"
#include "port/ledger_store.h"

namespace pawl {

// The awaitables complete without suspending: they block the calling thread, which is the
// archiver's own. One call at a time.
class DirectoryLedgerStore final : public LedgerStore {
 public:
  // Syncs what an earlier process may have left unsynced, so that whatever end_of() finds is
  // durable. The archive, whose lock makes this the one writer, must outlive it.
  static Result<std::unique_ptr<DirectoryLedgerStore>> open(
      const ArchiveDirectory& archive, DurabilityCalls& calls = DurabilityCalls::system());

  Awaitable<Result<std::vector<std::string>>> chains() override;
  Awaitable<Result<ChainEnd>> end_of(std::string_view chain) override;
  Awaitable<Status> read(std::string_view chain,
                         std::function<bool(std::string_view line)> visit) override;
  Awaitable<Status> append(std::span<const PageAppend> pages) override;
  Awaitable<Status> start_volume(std::string_view chain) override;
  Awaitable<Status> sync() override;
  Awaitable<Status> reopen() override;
  Awaitable<Status> cut(std::string_view chain) override;
  Awaitable<Status> put_tip(std::string_view line) override;
  Awaitable<Result<std::optional<std::string>>> tip() override;

 private:
  // Where a chain ends: its volumes, and the size of the last of them.
  struct End {
    std::uint32_t volumes = 0;
    std::uint64_t size = 0;
    friend bool operator==(const End&, const End&) = default;
  };
  struct Chain {
    End now;
    End durable;               // at the last good sync
    bool new_volume = false;   // the next page starts one
    bool new_entries = false;  // its directory, or the one above, has entries that are not synced
  };

  DirectoryLedgerStore(const ArchiveDirectory& archive, DurabilityCalls& calls)
      : archive_(archive), calls_(calls) {}

  Result<FileDescriptor> open_ledger() const;
  // Nothing if the chain has no directory and `make` is false.
  Result<std::optional<FileDescriptor>> open_chain(std::string_view chain, bool make);
  // The chain's state; looks at the disk the first time.
  Result<Chain*> state_of(std::string_view chain);
  Result<End> find_end(std::string_view chain);
  Result<ChainEnd> read_end(std::string_view chain);
  Status visit_lines(std::string_view chain, const std::function<bool(std::string_view)>& visit);
  Status append_to(std::string_view chain, std::string_view lines);
  Status append_all(std::span<const PageAppend> pages);
  Status sync_all();
  Status sync_one(std::string_view name, const Chain& chain);
  Status take_back();
  Status take_back_one(std::string_view name, Chain& chain);
  Status cut_torn(std::string_view chain);
  Status refuse_if_failed(std::string_view attempted) const;

  const ArchiveDirectory& archive_;
  DurabilityCalls& calls_;
  std::map<std::string, Chain, std::less<>> chains_;
  std::size_t dirty_ = 0;  // chains whose end is not durable
  bool failed_ = false;    // an append or a sync has failed: only reopen() helps
};

}  // namespace pawl
