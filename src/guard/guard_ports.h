// What a worker of the guard works with: the world through ports, and what it is told of its table.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "archive/object_naming.h"
#include "base/ids.h"
#include "port/clock.h"
#include "port/lease_store.h"
#include "port/ledger_store.h"
#include "port/object_store.h"
#include "port/random.h"
#include "port/source_table.h"
#include "port/table_stream.h"

namespace pawl::guard {

struct CheckPorts;

// All must outlive the worker. One executor.
struct GuardPorts {
  TableStream& stream;
  SourceTable& table;
  LeaseStore& leases;
  ObjectStore& objects;  // its answers are durable (may_doubt() is false); calls may overlap
  // A ledger of the archive, as if just opened. Each chain is written through one of its own, since who meets another's
  // page must open it anew.
  std::function<std::unique_ptr<LedgerStore>()> open_ledger;
  Clock& clock;
  Random& random;
  // Where somebody else writes the objects, and Pawl checks them: expected_objects.h. Nothing: Pawl writes them.
  const CheckPorts* check = nullptr;
};

struct GuardedTable {
  std::string archive;  // the archive's id, 16 hex digits
  std::string software;
  Incarnation incarnation;
  std::string arn;
  archive::NamedTable named;
  archive::NameTemplate names;
  std::optional<std::string> version_attribute;
  bool checked = false;  // its objects are somebody else's
  // Its stream is of this process, and nothing of it is trimmed before its page is durable: what is first met late has no gap
  // before it.
  bool held = false;
};

// The incarnation of a table that somebody else keeps (docs/internals/guard.md, "Names"): the same for every worker.
Incarnation guarded_incarnation(const SourceTableFacts& facts);
// Errors: kInvalid where a key's type is none.
Result<item::KeySchema> key_schema_of(const SourceTableFacts& facts);

}  // namespace pawl::guard
