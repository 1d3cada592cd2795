// Ledger chains in a bucket of this server: .pawl/ledger/<chain>/<volume>.pages, the names and lines that S3LedgerStore writes, so
// that who reads the bucket over S3 reads an archive. See port/ledger_store.h and docs/internals/archive-format.md.
//
// An object can't grow, so each sync puts what was appended to each chain since the last one as one volume, if absent. All of one
// sync are one command of the buckets' writer: they are there together or not at all, and its answer is known. Other bytes under a
// volume's name mean that somebody else writes this chain (kConflict). The tip is replaced if it is what was last seen of it.
//
// What survives a crash: every sync, whole or not at all. Nothing is ever torn.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bucket/own_access.h"
#include "port/ledger_store.h"

namespace pawl::bucket {

// One call at a time, on one executor.
class OwnLedgerStore final : public LedgerStore {
 public:
  OwnLedgerStore(OwnPorts ports, std::string bucket)
      : ports_(std::move(ports)), bucket_(std::move(bucket)) {}

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
  bool seals_at_sync() const override { return true; }

 private:
  struct Chain {
    std::uint64_t volumes = 0;          // at the last good sync
    std::vector<std::string> appended;  // a volume each, after those
    bool new_volume = false;            // the next page starts one
  };

  Result<Chain*> state_of(std::string_view chain);
  Result<std::uint64_t> count_volumes(std::string_view chain);
  Awaitable<Result<std::string>> read_volume(std::string chain, std::uint64_t volume);
  Awaitable<Status> put_appended();
  // Something stands where they were to be: nothing is wrong if it is they.
  Awaitable<Status> compare_appended();
  Awaitable<Result<std::optional<std::string>>> read_tip();
  Status refuse_if_failed(std::string_view attempted) const;
  Error fenced(std::string_view key) const;

  OwnPorts ports_;
  std::string bucket_;
  std::map<std::string, Chain, std::less<>> chains_;
  bool failed_ = false;
  bool tip_seen_ = false;
  std::optional<std::string> tip_etag_;  // nothing: there is none
};

}  // namespace pawl::bucket
