// Adoption: the changes of the old incarnation that its ledger chains don't have go on in the change log of the new one,
// so that they come into its chains as any change does.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "port/key_value_store.h"
#include "stream/change_log.h"

namespace pawl::table {

struct CarriedShard {
  ShardId shard;  // of the new incarnation
  SequenceNumber newest;
  Instant newest_instant;
};
struct CarriedChanges {
  WriteResult result;  // of the first write that was not done, else kDone
  std::vector<CarriedShard> shards;
};

// Copies, for each old shard of `after`, the records after that position to the shard of the same number of
// `incarnation`, numbered from 1. Written in batches of about 4 MiB, unsynced: the synced batch that makes `incarnation`
// known follows, and if a crash comes first, nobody knows of the copies (orphans.h). Old records stay.
CarriedChanges carry_changes(KeyValueStore& store, const stream::ChangeLog& log,
                             const std::map<ShardId, SequenceNumber>& after,
                             Incarnation incarnation);

}  // namespace pawl::table
