#include "guard/rendered_change.h"

#include <charconv>

#include "archive/object_body.h"
#include "item/dynamodb_json.h"
#include "item/source_number.h"

namespace pawl::guard {
namespace {

item::ChangeKind kind_of(StreamChangeKind kind) {
  switch (kind) {
    case StreamChangeKind::kInsert:
      return item::ChangeKind::kInsert;
    case StreamChangeKind::kModify:
      return item::ChangeKind::kModify;
    case StreamChangeKind::kRemove:
      return item::ChangeKind::kRemove;
  }
  return item::ChangeKind::kModify;
}

// What the version attribute says, where there is one and it is a number that every reader of JSON takes for whole.
std::optional<Version> version_of(const item::Change& change,
                                  const std::optional<std::string>& attribute) {
  const auto& image = change.new_image ? change.new_image : change.old_image;
  if (!attribute || !image) return std::nullopt;
  const auto found = image->find(*attribute);
  if (found == image->end() || !found->second.is<item::Number>()) return std::nullopt;
  const auto text = found->second.as<item::Number>().to_string();
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value > item::kGuardedVersionMax) return std::nullopt;
  return Version{value};
}

}  // namespace

Result<RenderedChange> render_change(const GuardedTable& table, ShardId shard,
                                     SequenceNumber sequence, const StreamRecord& record,
                                     const std::optional<Gap>& gap) {
  item::Change change;
  change.shard = shard;
  change.sequence = sequence;
  change.source = item::source_of(record.sequence);
  change.kind = kind_of(record.kind);
  change.instant = record.created;
  change.body_format = item::kGuardedBodyFormat;
  PAWL_ASSIGN_OR_RETURN(change.key, item::parse_item_text(record.keys));
  if (!record.new_image.empty()) {
    PAWL_ASSIGN_OR_RETURN(change.new_image, item::parse_item_text(record.new_image));
  }
  if (!record.old_image.empty()) {
    PAWL_ASSIGN_OR_RETURN(change.old_image, item::parse_item_text(record.old_image));
  }
  RenderedChange rendered;
  rendered.entry.version = change.version = version_of(change, table.version_attribute);
  rendered.body = archive::render_body(table.named.name, change);
  rendered.name = table.names.render(table.named, change);
  if (table.checked) {
    rendered.theirs = table.names.render_as_it_is(table.named, change).value_or(rendered.name);
  }
  rendered.entry.sequence = change.sequence;
  rendered.entry.source = change.source;
  rendered.entry.key = std::move(change.key);
  rendered.entry.kind = change.kind;
  rendered.entry.instant = change.instant;
  rendered.entry.size = rendered.body.size();
  rendered.entry.sha256 = sha256(rendered.body);
  if (gap) rendered.entry.gap = gap->after.empty() ? gap->after : item::source_of(gap->after);
  return rendered;
}

}  // namespace pawl::guard
