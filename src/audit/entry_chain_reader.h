// Reads a chain whose pages are a list of entries, dense from 1, under a page's header: the repair chain of a guarded table and the
// kept chain of a supervised bucket. Checks every page, and hands the entries on to who knows their form. Shares nothing with what
// writes them.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "audit/ledger_lines.h"
#include "audit/report.h"
#include "audit/root_facts.h"
#include "audit/shard_reader.h"

namespace pawl::audit {

struct EntryChainForm {
  std::string chain;        // its name
  std::string_view format;  // of its pages: "pawl-kept/1"
  std::string_view list;    // the member that holds the entries
  std::string table;        // that findings name; may be empty
};

// One chain, once. All that it is given must outlive it.
class EntryChainReader {
 public:
  // An entry as it stands in a page, and its sequence number. kMalformed: it has not the form of one. kStop: an error, which the
  // visitor keeps.
  enum class Taken : std::uint8_t { kGood, kMalformed, kStop };
  using Visit = std::function<Taken(const simdjson::dom::element& entry, std::uint64_t sequence)>;

  EntryChainReader(EntryChainForm form, const RootFacts& facts, const RootOptions& options,
                   bool& head_found, Report& report, Visit visit)
      : form_(std::move(form)),
        facts_(facts),
        options_(options),
        head_found_(head_found),
        report_(report),
        visit_(std::move(visit)) {}

  // Errors: the archive's.
  Result<ShardSummary> read(ArchiveView& archive,
                            const std::function<void(std::uint64_t)>& read_bytes);

 private:
  bool take(const RawLine& raw);  // false to stop reading
  bool take_header(const simdjson::dom::element& page, const RawLine& raw, const LedgerLine& line);
  bool take_entry(const simdjson::dom::element& entry);
  bool stop(FindingKind kind, const std::string& detail);
  void add(FindingKind kind, std::string detail);

  EntryChainForm form_;
  const RootFacts& facts_;
  const RootOptions& options_;
  bool& head_found_;
  Report& report_;
  Visit visit_;
  simdjson::dom::parser parser_;
  ShardSummary summary_;
  std::uint64_t last_ = 0;
  Digest previous_;
};

}  // namespace pawl::audit
