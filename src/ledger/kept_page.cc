#include "ledger/kept_page.h"

#include "base/json_writer.h"

namespace pawl::ledger {
namespace {

EntryChain chain_of(const std::string& archive) {
  return {kKeptPageFormat, std::string(kKeptChain), "kept", archive};
}

}  // namespace

std::string encode_kept_entry(const KeptEntry& entry) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("sequence", entry.sequence.value)
      .field("object", entry.object)
      .field("size", entry.size)
      .field("sha256", entry.sha256.to_hex())
      .field("kept", entry.kept)
      .field(entry.deleted ? "deleted" : "replaced", entry.at.to_string());
  if (entry.by) {
    json.key("by")
        .begin_object()
        .field("size", entry.by->size)
        .field("sha256", entry.by->sha256.to_hex())
        .end_object();
  }
  json.end_object();
  return out;
}

Result<NextPage> next_kept_page(const ChainEndState& end, const std::string& archive,
                                const std::vector<std::string>& entries, Instant now) {
  return next_entry_page(chain_of(archive), end, entries, now);
}

Result<ChainEndState> kept_chain_end(std::string_view last_line, const std::string& archive) {
  return entry_chain_end(chain_of(archive), last_line);
}

}  // namespace pawl::ledger
