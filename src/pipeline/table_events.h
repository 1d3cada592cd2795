// A table's definition as the root chain records it: all that a restore needs to create the table again. The format:
// docs/internals/archive-format.md, "Root pages".
#pragma once

#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "ledger/root_page.h"
#include "pipeline/recorded_tables.h"

namespace pawl::pipeline {

std::string encode_definition(const table::TableDefinition& definition, Instant created);

struct ParsedDefinition {
  table::TableDefinition definition;
  Instant created;
};
// Errors: kCorrupt. `name` is the table's, which stands beside the definition in its event.
Result<ParsedDefinition> parse_definition(std::string_view name, std::string_view json);

// The event that opens a table's chains.
ledger::TableCreated created_event(const RecordedTable& table,
                                   std::optional<ledger::Parent> parent = {});

}  // namespace pawl::pipeline
