#include "table/store_reader.h"

#include "item/item_size.h"
#include "table/evaluation.h"
#include "table/item_format.h"
#include "table/key_range.h"

namespace pawl::table {
namespace {

Failure failure_of(Refusal refusal, std::string message) {
  return {.refusal = refusal, .message = std::move(message), .item = {}, .reasons = {}};
}
Failure storage(const Error& error) { return failure_of(Refusal::kStorage, error.message); }
Failure no_such_table() {
  return failure_of(Refusal::kNoSuchTable, "Requested resource not found");
}

item::Item key_of_stored(const item::KeySchema& schema, const item::Item& item) {
  item::Item key;
  key.insert(*item.find(schema.partition.name));
  if (schema.sort) key.insert(*item.find(schema.sort->name));
  return key;
}

// A Query's filter sees what the key condition did not already decide.
std::optional<Failure> check_filter(const TableRecord& table, const PageRequest& request) {
  if (!request.filter || !request.key_condition) return std::nullopt;
  const item::KeySchema& schema = table.definition.schema;
  for (const std::string& name : request.filter->attributes()) {
    if (name == schema.partition.name || (schema.sort && name == schema.sort->name)) {
      return failure_of(
          Refusal::kInvalid,
          "Filter Expression can only contain non-primary key attributes: Primary key "
          "attribute: " +
              name);
    }
  }
  return std::nullopt;
}

// A cursor that goes through [from, to) in either direction.
class RangeWalk {
 public:
  RangeWalk(KeyValueStore& store, KeyRange range, bool forward)
      : cursor_(store.cursor(KeySpace::kItems)), range_(std::move(range)), forward_(forward) {
    if (forward_) {
      cursor_->seek(range_.from);
    } else {
      cursor_->seek_for_prev(range_.to);
      if (cursor_->valid() && cursor_->key() == range_.to) cursor_->prev();
    }
  }
  bool valid() const {
    return cursor_->valid() && (forward_ ? cursor_->key() < std::string_view(range_.to)
                                         : cursor_->key() >= std::string_view(range_.from));
  }
  // Whether the item is the last one that the range could hold.
  bool at_bound() const {
    return forward_ ? std::string(cursor_->key()).append(1, '\0') >= range_.to
                    : cursor_->key() == std::string_view(range_.from);
  }
  void advance() { forward_ ? cursor_->next() : cursor_->prev(); }
  std::string_view value() const { return cursor_->value(); }
  Status status() const { return cursor_->status(); }

 private:
  std::unique_ptr<Cursor> cursor_;
  KeyRange range_;
  bool forward_;
};

}  // namespace

ReadResult<TableDescription> StoreReader::describe(std::string_view name) const {
  const TablePtr table = catalog_.view()->find(name);
  if (!table) {
    return failure_of(Refusal::kNoSuchTable,
                      "Requested resource not found: Table: " + std::string(name) + " not found");
  }
  return table->describe();
}

std::vector<std::string> StoreReader::list(std::string_view start, std::size_t limit) const {
  const auto tables = catalog_.view();
  std::vector<std::string> names;
  for (auto at = tables->by_name.upper_bound(start);
       at != tables->by_name.end() && names.size() < limit; ++at) {
    names.push_back(at->first);
  }
  return names;
}

ReadResult<std::optional<item::Item>> StoreReader::get(std::string_view name,
                                                       const item::Item& key) const {
  const TablePtr table = catalog_.view()->find(name);
  if (!table) return no_such_table();
  const item::KeySchema& schema = table->record.definition.schema;
  const Status checked = item::check_key(schema, key);
  if (!checked.ok()) return failure_of(Refusal::kInvalid, checked.error().message);
  const auto value = store_.get(KeySpace::kItems, place_of(table->record.space, schema, key).key);
  if (!value.ok()) return storage(value.error());
  if (!*value) return std::optional<item::Item>();
  auto stored = decode_stored_item(**value);
  if (!stored.ok()) return storage(stored.error());
  return std::optional(std::move(stored->item));
}

ReadResult<std::vector<std::optional<item::Item>>> StoreReader::get_many(
    const std::vector<std::pair<std::string, item::Item>>& keys) const {
  const auto tables = catalog_.view();
  std::vector<std::string> places;
  places.reserve(keys.size());
  for (const auto& [name, key] : keys) {
    const TablePtr table = tables->find(name);
    if (!table) return no_such_table();
    const item::KeySchema& schema = table->record.definition.schema;
    const Status checked = item::check_key(schema, key);
    if (!checked.ok()) return failure_of(Refusal::kInvalid, checked.error().message);
    places.push_back(place_of(table->record.space, schema, key).key);
  }
  const auto values = store_.multi_get(KeySpace::kItems, {places.begin(), places.end()});
  if (!values.ok()) return storage(values.error());
  std::vector<std::optional<item::Item>> items;
  items.reserve(keys.size());
  for (const auto& value : *values) {
    if (!value) {
      items.emplace_back();
      continue;
    }
    auto stored = decode_stored_item(*value);
    if (!stored.ok()) return storage(stored.error());
    items.emplace_back(std::move(stored->item));
  }
  return items;
}

ReadResult<Page> StoreReader::page(const PageRequest& request) const {
  const TablePtr table = catalog_.view()->find(request.table);
  if (!table) return no_such_table();
  if (auto failure = check_filter(table->record, request)) return std::move(*failure);
  return walk(table->record, request);
}

ReadResult<Page> StoreReader::walk(const TableRecord& table, const PageRequest& request) const {
  auto range = range_of(table, request);
  if (auto* failure = std::get_if<Failure>(&range)) return std::move(*failure);
  RangeWalk walk(store_, std::get<KeyRange>(std::move(range)), request.forward);
  const item::KeySchema& schema = table.definition.schema;
  Page page;
  std::optional<item::Item> last;
  for (; walk.valid(); walk.advance()) {
    auto stored = decode_stored_item(walk.value());
    if (!stored.ok()) return storage(stored.error());
    page.scanned_count += 1;
    page.scanned_bytes += item::size_of(stored->item);
    last = key_of_stored(schema, stored->item);

    bool passes = true;
    if (request.filter) {
      const Result<bool> holds = request.filter->holds(stored->item);
      if (!holds.ok()) return failure_of(Refusal::kInvalid, holds.error().message);
      passes = *holds;
    }
    if (passes) {
      page.count += 1;
      if (!request.count_only) {
        page.items.push_back(request.projection ? request.projection->project(stored->item)
                                                : std::move(stored->item));
      }
    }
    // As the service does: the item that crosses the megabyte is the page's last, and a key is given also if nothing
    // comes after it, unless nothing can.
    const bool limited = request.limit && page.scanned_count >= *request.limit;
    if (limited || page.scanned_bytes >= kPageBytesMax) {
      if (request.key_condition && (!schema.sort || walk.at_bound())) break;
      page.last_evaluated_key = std::move(last);
      break;
    }
  }
  if (const Status status = walk.status(); !status.ok()) return storage(status.error());
  return page;
}

}  // namespace pawl::table
