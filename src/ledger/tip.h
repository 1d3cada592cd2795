// The tip: the newest state of every open chain, replaced whole. The format: ledger/page_format.h and
// docs/internals/archive-format.md, "Tip".
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/instant.h"
#include "base/result.h"
#include "ledger/root_page.h"

namespace pawl::ledger {

struct TipChain {
  std::optional<ChainHead> head;     // nothing for a shard without pages
  std::optional<Instant> heartbeat;  // the newest that came through the whole flow
  bool operator==(const TipChain&) const = default;
};

struct Tip {
  std::string archive;
  Instant instant;
  ChainHead root;
  std::map<ShardId, TipChain> chains;
  bool operator==(const Tip&) const = default;
};

std::string encode_tip(const Tip& tip);
// Errors: kCorrupt.
Result<Tip> parse_tip(std::string_view json);

}  // namespace pawl::ledger
