#include "guard/guarded_definition.h"

#include <fmt/format.h>

#include "base/json_writer.h"
#include "ledger/line.h"
#include "ledger/page_format.h"
#include "ledger/root_page.h"

namespace pawl::guard {
namespace {

void write_key(JsonWriter& json, std::string_view member, const item::KeyAttribute& key) {
  json.key(member).begin_object();
  json.field("name", key.name).field("type", item::name_of(key.type)).end_object();
}

Status check_page(std::string_view line, const GuardedTable& table) {
  PAWL_ASSIGN_OR_RETURN(const auto parsed, ledger::parse_line(line));
  PAWL_ASSIGN_OR_RETURN(const auto page,
                        ledger::parse_root_page(parsed.json, ledger::Heads::kSkip));
  const auto* const created = std::get_if<ledger::ArchiveCreated>(&page.event);
  const bool is_signed = created != nullptr && created->public_key;
  if (is_signed || std::holds_alternative<ledger::ServerStarted>(page.event)) {
    return Error{ErrorCode::kInvalid,
                 "this is the archive of a `pawl serve`, which writes it alone",
                 "give the guard a prefix of its own: s3://BUCKET/PREFIX"};
  }
  const auto* const guarded = std::get_if<ledger::TableGuarded>(&page.event);
  if (guarded == nullptr || guarded->incarnation != table.incarnation) return ok();
  if (guarded->definition == definition_of(table)) return ok();
  return Error{ErrorCode::kInvalid,
               fmt::format("this archive guards table {} with other settings: {}", guarded->table,
                           guarded->definition),
               "give all workers the command (record or check), --name and --version-attribute of "
               "the first, or another archive"};
}

}  // namespace

std::string definition_of(const GuardedTable& table) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_key(json, "partition_key", table.named.schema.partition);
  if (table.named.schema.sort) write_key(json, "sort_key", *table.named.schema.sort);
  json.field("template", table.names.text());
  if (table.version_attribute) json.field("version_attribute", *table.version_attribute);
  if (table.checked) json.field("objects", "foreign");
  json.end_object();
  return out;
}

Awaitable<Status> check_root_chain(LedgerStore& ledger, const GuardedTable& table) {
  Status failure = ok();
  std::size_t pages = 0;
  const std::string chain(ledger::kRootChain);
  const auto status = co_await ledger.read(chain, [&](std::string_view line) {
    failure = check_page(line, table);
    return failure.ok() && ++pages < kRootPagesLookedAt;
  });
  if (!status.ok()) co_return status;
  co_return failure;
}

}  // namespace pawl::guard
