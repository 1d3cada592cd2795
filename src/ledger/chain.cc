#include "ledger/chain.h"

#include <algorithm>

#include "ledger/page_format.h"

namespace pawl::ledger {
namespace {

// The chain after `line`.
NextPage finish(const ChainEndState& end, bool new_volume, EncodedLine line, Instant instant,
                SequenceNumber last) {
  NextPage next;
  next.after = {end.pages + 1, line.digest, instant, last,
                (new_volume ? 0 : end.volume_bytes) + line.text.size()};
  next.new_volume = new_volume;
  next.line = std::move(line);
  return next;
}

bool is_full(const ChainEndState& end) { return end.volume_bytes >= kVolumeBytesMax; }

Status check_place(const ChainEndState& end, PageIndex page, const Digest& previous,
                   Instant instant) {
  if (page.value != end.pages) {
    return Error{ErrorCode::kCorrupt,
                 "a ledger chain goes from page " + std::to_string(end.pages) + " on with page " +
                     std::to_string(page.value),
                 "run `pawl verify` on the archive"};
  }
  if (previous != end.digest || instant < end.instant) {
    return Error{ErrorCode::kCorrupt,
                 "page " + std::to_string(page.value) +
                     " of a ledger chain does not follow the page before it",
                 "run `pawl verify` on the archive"};
  }
  return ok();
}

}  // namespace

Result<NextPage> next_shard_page(const ChainEndState& end, const std::string& archive,
                                 ShardId shard, const std::vector<std::string>& entries,
                                 Instant last_change, Instant now, Signer* signer) {
  PAWL_ASSERT(!entries.empty() && entries.size() <= kChangesPerPageMax);
  const bool new_volume = is_full(end);
  const bool signs = new_volume || end.volume_bytes == 0;
  ShardPage page;
  page.archive = archive;
  page.shard = shard;
  page.page = {end.pages};
  page.previous = end.digest;
  page.instant = std::max({now, end.instant, last_change});
  const SequenceNumber last{end.last.value + entries.size()};
  PAWL_ASSIGN_OR_RETURN(auto line, make_line(encode_page(page, end.last.next(), last, entries),
                                             signs ? signer : nullptr));
  return finish(end, new_volume, std::move(line), page.instant, last);
}

Result<std::vector<NextPage>> next_shard_pages(
    ChainEndState end, const std::string& archive, ShardId shard, SequenceNumber last,
    const std::function<const PageEntry&(SequenceNumber)>& entry_of, Instant now, Signer* signer) {
  PAWL_ASSERT(end.last < last);
  std::vector<NextPage> pages;
  std::vector<std::string> entries;
  std::size_t bytes = 0;
  Instant last_change;
  const auto close = [&]() -> Status {
    if (entries.empty()) return ok();
    PAWL_ASSIGN_OR_RETURN(auto page,
                          next_shard_page(end, archive, shard, entries, last_change, now, signer));
    end = page.after;
    pages.push_back(std::move(page));
    entries.clear();
    bytes = 0;
    return ok();
  };
  for (auto sequence = end.last.next(); sequence <= last; sequence = sequence.next()) {
    const auto& entry = entry_of(sequence);
    auto json = encode_entry(entry);
    if (entries.size() == kChangesPerPageMax || bytes + json.size() > kPageEntryBytesMax) {
      PAWL_TRY(close());
    }
    bytes += json.size();
    last_change = entry.instant;
    entries.push_back(std::move(json));
  }
  PAWL_TRY(close());
  return pages;
}

Result<NextPage> next_root_page(const ChainEndState& end, const std::string& archive,
                                RootEvent event, Instant now, Signer* signer) {
  RootPage page{archive, {end.pages}, end.digest, std::max(now, end.instant), std::move(event)};
  PAWL_ASSIGN_OR_RETURN(auto line, make_line(encode_root_page(page), signer));
  return finish(end, is_full(end), std::move(line), page.instant, {});
}

Status follow(ChainEndState& end, const ShardPage& page, const Digest& digest) {
  PAWL_TRY(check_place(end, page.page, page.previous, page.instant));
  if (page.first() != end.last.next()) {
    return Error{ErrorCode::kCorrupt,
                 "chain " + page.shard.to_string() + " goes from change " +
                     std::to_string(end.last.value) + " on with change " +
                     std::to_string(page.first().value),
                 "run `pawl verify` on the archive"};
  }
  end = {end.pages + 1, digest, page.instant, page.last(), end.volume_bytes};
  return ok();
}

Status follow(ChainEndState& end, const RootPage& page, const Digest& digest) {
  PAWL_TRY(check_place(end, page.page, page.previous, page.instant));
  end = {end.pages + 1, digest, page.instant, {}, end.volume_bytes};
  return ok();
}

}  // namespace pawl::ledger
