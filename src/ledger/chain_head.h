// The head of a chain: its newest page, as checkpoints in the root chain and the tip give it. The format:
// docs/internals/archive-format.md, "Root pages" and "Tip".
#pragma once

#include "base/digest.h"
#include "base/ids.h"
#include "base/json_writer.h"
#include "item/json_fields.h"

namespace pawl::ledger {

// The newest page of a chain.
struct ChainHead {
  PageIndex page;
  SequenceNumber last;  // of a shard chain; not written for the root chain
  Digest digest;
  bool operator==(const ChainHead&) const = default;
};

// The members "page", "last" and "digest" of the object that is open in `json`.
void write_head(JsonWriter& json, const ChainHead& head);
// The same, read; what is missing or wrong shows in the status of `fields`.
ChainHead read_head(item::JsonFields& fields);

}  // namespace pawl::ledger
