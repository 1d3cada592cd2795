// A record of the stream as the archive has it: its entry in the ledger, and the object that Pawl would write of it.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "guard/gap_check.h"
#include "guard/guard_ports.h"
#include "guard/stream_cursor.h"
#include "ledger/shard_page.h"
#include "port/table_stream.h"

namespace pawl::guard {

struct RenderedChange {
  ledger::PageEntry entry;  // its `object` is set when it is known which one it became
  std::string name;         // as the template says; of what `guard check` puts in, with its mark
  std::string theirs;       // of a checked table: as somebody else's function says by that template
  std::string body;
  // What image_chain.h looks at; nothing where the stream's view does not give the images that such a change has.
  std::optional<CheckedChange> checked;
  bool to_put =
      true;  // false: somebody else wrote the object, or it is only to be told that nobody did
  bool late = false;         // somebody else wrote it, after its deadline
  bool asked_again = false;  // a call of the function was begun with it once more
  Instant written_at;        // by somebody else: when, by the store's clock
};

// Pure. Errors: kInvalid, kCorrupt where the record is none that the service gives.
Result<RenderedChange> render_change(const GuardedTable& table, ShardId shard,
                                     SequenceNumber sequence, const StreamRecord& record,
                                     const std::optional<Gap>& gap);

// Pure. Whether an entry of a page is of that very change of the table, and not of another that has its place in another history
// of it: by key, version, kind and instant. What became of its object is not asked.
bool tells_of(const ledger::PageEntry& entered, const RenderedChange& change);

}  // namespace pawl::guard
