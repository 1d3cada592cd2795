#include "ledger/entry_chain.h"

#include <algorithm>

#include "base/json_writer.h"
#include "item/json_fields.h"
#include "ledger/page_format.h"

namespace pawl::ledger {

Result<NextPage> next_entry_page(const EntryChain& about, const ChainEndState& end,
                                 const std::vector<std::string>& entries, Instant now) {
  PAWL_ASSERT(!entries.empty() && entries.size() <= kChangesPerPageMax);
  const SequenceNumber last{end.last.value + entries.size()};
  const Instant instant = std::max(now, end.instant);
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("format", about.format)
      .field("archive", about.archive)
      .field("chain", about.chain)
      .field("page", end.pages)
      .field("previous", end.digest.to_hex())
      .field("instant", instant.to_string())
      .field("first", end.last.next().value)
      .field("last", last.value)
      .key(about.list)
      .begin_array();
  for (const auto& entry : entries) json.raw(entry);
  json.end_array().end_object();
  NextPage next;
  PAWL_ASSIGN_OR_RETURN(next.line, make_line(out, nullptr));
  next.after = {end.pages + 1, next.line.digest, instant, last, 0};
  return next;
}

Result<ChainEndState> entry_chain_end(const EntryChain& about, std::string_view last_line) {
  PAWL_ASSIGN_OR_RETURN(const auto line, parse_line(last_line));
  const std::string what = "page of chain " + about.chain;
  thread_local simdjson::dom::parser parser;
  PAWL_ASSIGN_OR_RETURN(const auto object,
                        item::parse_stored_object(parser, line.json, kLineBytesMax, what));
  item::JsonFields fields(object, what);
  fields.expect("format", about.format);
  fields.expect("archive", about.archive);
  fields.expect("chain", about.chain);
  ChainEndState end;
  end.pages = fields.number("page") + 1;
  end.instant = fields.instant("instant");
  end.last = {fields.number("last")};
  PAWL_TRY(fields.status());
  end.digest = line.digest;
  return end;
}

}  // namespace pawl::ledger
