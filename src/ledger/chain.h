// Chains: what the next page must say, given the last one. Pure; shared by shard chains and the root chain.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ledger/line.h"
#include "ledger/root_page.h"
#include "ledger/shard_page.h"

namespace pawl::ledger {

// The end of one chain: all that writing on needs to know. Copy it before a page is written and keep the copy if
// the page's sync fails.
struct ChainEndState {
  std::uint64_t pages = 0;  // that it has: the next page's index
  Digest digest;            // of the last page; zero before the first
  Instant instant;          // of the last page
  SequenceNumber last;      // the last change in it; 0 before the first, and for the root chain
  std::uint64_t volume_bytes = 0;  // in the volume that the next page goes to
  bool operator==(const ChainEndState&) const = default;

  std::optional<ChainHead> head() const {
    if (pages == 0) return std::nullopt;
    return ChainHead{{pages - 1}, last, digest};
  }
};

// A line ready to be appended. The chain's end moves to `after` when the line is durable.
struct NextPage {
  EncodedLine line;
  ChainEndState after;
  bool new_volume = false;  // LedgerStore::start_volume() first
};

// The next page of a shard's chain, over entries rendered by encode_entry() for the changes from end.last+1 on, of
// which there must be 1 to kChangesPerPageMax. Its instant is `now` or, if that is later, that of the page before or
// of its last change. Signed where it starts a volume. Errors: those of the signer.
Result<NextPage> next_shard_page(const ChainEndState& end, const std::string& archive,
                                 ShardId shard, const std::vector<std::string>& entries,
                                 Instant last_change, Instant now, Signer* signer);
// The pages of the changes from end.last+1 to `last` (at least one): one, or several where their entries exceed what a
// page may hold. `entry_of` gives the entry of each, in order.
Result<std::vector<NextPage>> next_shard_pages(
    ChainEndState end, const std::string& archive, ShardId shard, SequenceNumber last,
    const std::function<const PageEntry&(SequenceNumber)>& entry_of, Instant now, Signer* signer);
// The next page of the root chain: always signed.
Result<NextPage> next_root_page(const ChainEndState& end, const std::string& archive,
                                RootEvent event, Instant now, Signer* signer);

// Takes one more page that was read: checks that it follows `end`, and moves it. Errors: kCorrupt; `end` is then as
// it was.
Status follow(ChainEndState& end, const ShardPage& page, const Digest& digest);
Status follow(ChainEndState& end, const RootPage& page, const Digest& digest);

}  // namespace pawl::ledger
