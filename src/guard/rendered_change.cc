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
std::optional<std::uint64_t> version_in(const item::Item& image,
                                        const std::optional<std::string>& attribute) {
  if (!attribute) return std::nullopt;
  const auto found = image.find(*attribute);
  if (found == image.end() || !found->second.is<item::Number>()) return std::nullopt;
  const auto text = found->second.as<item::Number>().to_string();
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value > item::kGuardedVersionMax) return std::nullopt;
  return value;
}

std::optional<Version> version_of(const item::Change& change,
                                  const std::optional<std::string>& attribute) {
  const auto& image = change.new_image ? change.new_image : change.old_image;
  if (!image) return std::nullopt;
  const auto version = version_in(*image, attribute);
  return version ? std::optional(Version{*version}) : std::nullopt;
}

// In a form in which equal items are equal.
Digest digest_of(const item::Item& image) {
  std::string text;
  item::append_item_json(text, image);
  return sha256(text);
}

std::optional<CheckedChange> checked_of(const item::Change& change,
                                        const std::optional<std::string>& attribute) {
  const bool inserts = change.kind == item::ChangeKind::kInsert;
  const bool removes = change.kind == item::ChangeKind::kRemove;
  if (inserts == change.old_image.has_value() || removes == change.new_image.has_value())
    return std::nullopt;
  CheckedChange checked;
  checked.item = digest_of(change.key);
  if (change.old_image)
    checked.old_image =
        ImageFacts{digest_of(*change.old_image), version_in(*change.old_image, attribute)};
  if (change.new_image)
    checked.new_image =
        ImageFacts{digest_of(*change.new_image), version_in(*change.new_image, attribute)};
  return checked;
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
  rendered.checked = checked_of(change, table.version_attribute);
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

bool tells_of(const ledger::PageEntry& entered, const RenderedChange& change) {
  const ledger::PageEntry& read = change.entry;
  return entered.source == read.source && entered.key == read.key &&
         entered.version == read.version && entered.kind == read.kind &&
         entered.instant == read.instant;
}

}  // namespace pawl::guard
