#include "audit/kept_reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "audit/entry_chain_reader.h"
#include "audit/root_events.h"

namespace pawl::audit {
namespace {

using simdjson::dom::element;

constexpr std::size_t kNameSizeMax = 2048;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameSizeMax && name.find('\0') == std::string_view::npos;
}

// What took the place, where the entry says so. False if it is not the form of that.
bool take_successor(const element& fields, LedgerKept& entry) {
  element by;
  if (fields["by"].get(by) != simdjson::SUCCESS) return true;
  const auto size = number_at(by, "size");
  const auto digest = Digest::parse(text_at(by, "sha256"));
  if (!size || !digest || entry.deleted) return false;
  entry.by = KeptContent{*size, *digest};
  return true;
}

bool take_fields(const element& fields, LedgerKept& entry) {
  entry.object = text_at(fields, "object");
  entry.kept = text_at(fields, "kept");
  const auto size = number_at(fields, "size");
  const auto digest = Digest::parse(text_at(fields, "sha256"));
  const auto replaced = Instant::parse(text_at(fields, "replaced"));
  const auto deleted = Instant::parse(text_at(fields, "deleted"));
  if (!is_name(entry.object) || entry.kept != kept_name(entry.sequence) || !size || !digest ||
      replaced.has_value() == deleted.has_value()) {
    return false;
  }
  entry.size = *size;
  entry.digest = *digest;
  entry.at = deleted ? *deleted : *replaced;
  entry.deleted = deleted.has_value();
  return take_successor(fields, entry);
}

}  // namespace

std::string kept_name(std::uint64_t number) { return fmt::format("{}{:016}", kKeptFolder, number); }

Result<ShardSummary> read_kept(ArchiveView& archive, const RootFacts& facts,
                               const RootOptions& options, bool& head_found, Report& report,
                               const std::function<Status(const LedgerKept&)>& visit,
                               const std::function<void(std::uint64_t)>& read_bytes) {
  Status error = ok();
  EntryChainReader reader({std::string(kKeptChain), "pawl-kept/1", "kept", {}}, facts, options,
                          head_found, report, [&](const element& fields, std::uint64_t sequence) {
                            using Taken = EntryChainReader::Taken;
                            LedgerKept entry;
                            entry.sequence = sequence;
                            if (!take_fields(fields, entry)) return Taken::kMalformed;
                            error = visit(entry);
                            return error.ok() ? Taken::kGood : Taken::kStop;
                          });
  PAWL_ASSIGN_OR_RETURN(const auto summary, reader.read(archive, read_bytes));
  PAWL_TRY(error);
  return summary;
}

}  // namespace pawl::audit
