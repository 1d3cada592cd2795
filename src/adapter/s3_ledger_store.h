// Ledger chains in a bucket: .pawl/ledger/<chain>/<volume>.pages, the same names and lines as in a directory, so that
// one copied into the other is read alike. See port/ledger_store.h and docs/internals/archive-format.md.
//
// An object can't grow, so each sync puts the pages of a chain that were appended since the last one as one volume, if
// absent: the volume's name is the fence. 412 with our own bytes is our own put whose answer was lost; 412 with others
// means that another server writes this chain, and this one stops (kConflict). A volume whose outcome is unknown may
// still arrive, so it can't be taken back: the same bytes are put again until it is known, and nothing else.
//
// The tip is replaced under If-Match of what this server last saw: a server that was fenced while it was paused doesn't
// say over another's tip that all is quiet.
//
// What survives a crash: every volume, whole or not at all. Nothing is ever torn.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapter/s3_archive.h"
#include "adapter/s3_client.h"
#include "port/ledger_store.h"

namespace pawl {

// One call at a time, on one executor.
class S3LedgerStore final : public LedgerStore {
 public:
  // The client must outlive it.
  S3LedgerStore(S3Client& client, EtagForm etag_form) : client_(client), etag_form_(etag_form) {}

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
    std::size_t put = 0;                // how many of these are there
    bool in_doubt = false;              // and the next may be
    bool new_volume = false;            // the next page starts one
    // What a failed sync has put, or may have: the first of what is appended must be the same.
    std::vector<std::string> given;
  };
  struct Sync;

  Awaitable<Result<Chain*>> state_of(std::string_view chain);
  Awaitable<Result<std::uint64_t>> count_volumes(std::string chain);
  Awaitable<Result<std::string>> read_volume(std::string chain, std::uint64_t volume);
  Status append_to(Chain& chain, std::string_view name, std::string_view line);
  Awaitable<void> sync_one(Sync& sync, const std::string& name, Chain& chain);
  Awaitable<Status> put_volume(const std::string& name, Chain& chain, const std::string& bytes);
  Awaitable<Result<std::optional<std::string>>> read_tip();
  std::string key_of(std::string_view chain, std::uint64_t volume) const;
  Status refuse_if_failed(std::string_view attempted) const;

  S3Client& client_;
  EtagForm etag_form_;
  std::map<std::string, Chain, std::less<>> chains_;
  bool failed_ = false;
  bool tip_seen_ = false;
  std::string tip_etag_;  // "" = there is none
  std::string tip_in_doubt_;
};

}  // namespace pawl
