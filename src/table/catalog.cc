#include "table/catalog.h"

#include "base/assert.h"
#include "base/coding.h"

namespace pawl::table {
namespace {

// Calls visit(rest of the key, value) for every record whose key starts with `prefix`.
template <typename Visit>
Status for_each(KeyValueStore& store, std::string_view prefix, Visit visit) {
  const std::unique_ptr<Cursor> cursor = store.cursor(KeySpace::kCatalog);
  for (cursor->seek(prefix); cursor->valid(); cursor->next()) {
    if (!cursor->key().starts_with(prefix)) break;
    PAWL_TRY(visit(cursor->key().substr(prefix.size()), cursor->value()));
  }
  return cursor->status();
}

Error corrupt_key() {
  return {ErrorCode::kCorrupt, "a key of the catalog can't be read",
          "the data directory is damaged: restore it with `pawl restore` from the archive"};
}

Error not_written(const WriteResult& written, std::string_view what) {
  return {written.outcome == WriteOutcome::kUnknown ? ErrorCode::kUnknown : ErrorCode::kUnavailable,
          "writing " + std::string(what) + ": " + written.why,
          "look at the disk, then start again"};
}

void put_format(WriteBatch& batch) {
  std::string value;
  append_varint(value, kDataFormat);
  batch.put(KeySpace::kCatalog, std::string(kFormatKey), value);
}

std::string make_iterator_key(Random& random) {
  std::string key;
  while (key.size() < kIteratorKeySize) append_u64_be(key, random.next());
  return key;
}

// What a directory of an older format lacks. The records of its tables are rewritten by who opens its shards
// (old_streams.h).
Status raise_format(KeyValueStore& store, Random& random) {
  WriteBatch batch;
  put_format(batch);
  batch.put(KeySpace::kCatalog, std::string(kIteratorKeyKey), make_iterator_key(random));
  const WriteResult written = store.write(batch, Sync::kYes);
  if (written.outcome == WriteOutcome::kDone) return ok();
  return not_written(written, "the catalog in the present format");
}

}  // namespace

TableDescription Table::describe() const {
  return {.definition = record.definition,
          .incarnation = record.incarnation,
          .created = record.created,
          .stream_enabled = record.stream_enabled,
          .parent = record.parent,
          .item_count = counters->items.load(std::memory_order_relaxed),
          .size_bytes = counters->bytes.load(std::memory_order_relaxed)};
}

std::vector<ShardId> Table::shards() const {
  std::vector<ShardId> shards;
  for (std::uint16_t i = 0; i < record.definition.partitions; ++i) {
    shards.push_back({.incarnation = record.incarnation, .number = i});
  }
  return shards;
}

TablePtr CatalogView::find(std::string_view name) const {
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

Result<std::unique_ptr<Catalog>> Catalog::open(KeyValueStore& store, Random& random) {
  std::unique_ptr<Catalog> catalog(new Catalog);
  PAWL_ASSIGN_OR_RETURN(const auto format, store.get(KeySpace::kCatalog, kFormatKey));
  if (format) {
    Reader reader(*format);
    const std::uint64_t found = reader.varint();
    if (!reader.at_end()) return corrupt_key();
    if (found > kDataFormat) {
      return Error{ErrorCode::kInvalid,
                   "opening the data directory: its format is " + std::to_string(found) +
                       ", and this Pawl reads formats up to " + std::to_string(kDataFormat),
                   "use the newer Pawl that wrote it"};
    }
    if (found < kDataFormat) PAWL_TRY(raise_format(store, random));
    PAWL_TRY(catalog->load(store));
    return catalog;
  }

  const std::unique_ptr<Cursor> cursor = store.cursor(KeySpace::kCatalog);
  cursor->seek("");
  PAWL_TRY(cursor->status());
  if (cursor->valid()) {
    return Error{ErrorCode::kCorrupt, "opening the data directory: its catalog has no format",
                 "the data directory is damaged: restore it with `pawl restore` from the archive"};
  }
  catalog->data_id_ = random.next();
  catalog->iterator_key_ = make_iterator_key(random);
  WriteBatch batch;
  put_format(batch);
  std::string value;
  append_u64_be(value, catalog->data_id_);
  batch.put(KeySpace::kCatalog, std::string(kDataIdKey), value);
  batch.put(KeySpace::kCatalog, std::string(kIteratorKeyKey), catalog->iterator_key_);
  const WriteResult written = store.write(batch, Sync::kYes);
  if (written.outcome != WriteOutcome::kDone) return not_written(written, "a new catalog");
  return catalog;
}

Status Catalog::load(KeyValueStore& store) {
  PAWL_ASSIGN_OR_RETURN(const auto id, store.get(KeySpace::kCatalog, kDataIdKey));
  if (!id) return corrupt_key();
  Reader reader(*id);
  data_id_ = reader.u64_be();
  if (!reader.at_end()) return corrupt_key();
  PAWL_ASSIGN_OR_RETURN(const auto iterator_key, store.get(KeySpace::kCatalog, kIteratorKeyKey));
  if (!iterator_key || iterator_key->size() != kIteratorKeySize) return corrupt_key();
  iterator_key_ = *iterator_key;
  PAWL_TRY(for_each(store, kFloorPrefix, [this](auto key, auto value) -> Status {
    Reader rest(key);
    ShardId shard;
    shard.incarnation = {rest.u64_be()};
    shard.number = rest.u16_be();
    if (!rest.at_end()) return corrupt_key();
    PAWL_ASSIGN_OR_RETURN(floors_[shard], decode_floor(value));
    return ok();
  }));
  return load_tables(store);
}

Status Catalog::load_tables(KeyValueStore& store) {
  std::map<std::uint64_t, TableCount> counts;
  PAWL_TRY(for_each(store, kCountPrefix, [&counts](auto key, auto value) -> Status {
    Reader rest(key);
    PAWL_ASSIGN_OR_RETURN(counts[rest.u64_be()], decode_count(value));
    return ok();
  }));
  return for_each(store, kTablePrefix, [this, &counts](auto, auto value) -> Status {
    PAWL_ASSIGN_OR_RETURN(const TableRecord record, decode_table(value));
    if (record.state == TableState::kActive && view()->find(record.definition.name)) {
      return Error{ErrorCode::kCorrupt,
                   "the catalog has two tables named " + record.definition.name,
                   "the data directory is damaged: restore it with `pawl restore`"};
    }
    put(record, counts[record.incarnation.value]);
    return ok();
  });
}

std::shared_ptr<const CatalogView> Catalog::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

Incarnation Catalog::new_incarnation(Random& random) const {
  const auto current = view();
  for (;;) {
    const Incarnation candidate{random.next()};
    if (candidate.value != 0 && !current->by_incarnation.contains(candidate)) return candidate;
  }
}

void Catalog::put(const TableRecord& record, TableCount count) {
  auto next = std::make_shared<CatalogView>(*view());
  TablePtr& slot = next->by_incarnation[record.incarnation];
  auto table = std::make_shared<Table>();
  table->record = record;
  table->counters = slot ? slot->counters : std::make_shared<Table::Counters>();
  if (!slot) {
    table->counters->items = count.items;
    table->counters->bytes = count.bytes;
  }
  slot = table;
  // Whichever state it had before: a name leads to the active incarnation only.
  const auto named = next->by_name.find(record.definition.name);
  if (record.state == TableState::kActive) {
    next->by_name.insert_or_assign(record.definition.name, table);
  } else if (named != next->by_name.end() &&
             named->second->record.incarnation == record.incarnation) {
    next->by_name.erase(named);
  }
  show(std::move(next));
}

void Catalog::show(std::shared_ptr<const CatalogView> next) {
  {
    const std::lock_guard lock(mutex_);
    view_ = std::move(next);
  }
  revision_.fetch_add(1, std::memory_order_release);
}

void Catalog::forget(Incarnation incarnation) {
  auto next = std::make_shared<CatalogView>(*view());
  const auto found = next->by_incarnation.find(incarnation);
  PAWL_ASSERT(found != next->by_incarnation.end());
  const std::string& name = found->second->record.definition.name;
  const auto named = next->by_name.find(name);
  if (named != next->by_name.end() && named->second->record.incarnation == incarnation) {
    next->by_name.erase(named);
  }
  next->by_incarnation.erase(found);
  show(std::move(next));
}

}  // namespace pawl::table
