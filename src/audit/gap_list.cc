#include "audit/gap_list.h"

#include <algorithm>

#include "audit/item_record.h"

namespace pawl::audit {
namespace {

// Of an item's records these come first: what its holes are judged by.
constexpr std::uint8_t kNewestTag = 0;
constexpr std::uint8_t kTableTag = 1;
constexpr std::uint8_t kHoleTag = 2;
constexpr std::size_t kRestSize = 1 + 8 + 8;  // tag and two numbers

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

std::uint64_t size_of(VersionRange versions) {
  return saturating_add(versions.to - versions.from, 1);
}

}  // namespace

// The present item.
struct GapList::Group {
  std::string encoded;
  std::pair<std::string, std::string> name;
  std::optional<std::uint64_t> newest;
  std::optional<std::uint64_t> table_version;
  VersionDigits digits;
  bool lacks = false;
};

GapList::GapList(bool with_table, std::uint64_t first_version, std::size_t memory_max,
                 std::string tmp)
    : with_table_(with_table), first_version_(first_version), sort_(memory_max, std::move(tmp)) {}

Status GapList::add(ItemName item, std::uint8_t tag, std::uint64_t first, std::uint64_t second) {
  record_.clear();
  append_item(record_, item);
  append_u8(record_, tag);
  append_u64_be(record_, first);
  append_u64_be(record_, second);
  return sort_.add(record_);
}

Status GapList::hole(ItemName item, VersionRange versions) {
  return add(item, kHoleTag, versions.from, versions.to);
}

Status GapList::item(ItemName item, std::uint64_t newest, VersionDigits digits) {
  const auto packed = std::uint64_t{digits.zero_led} << 8 | digits.least;
  return with_table_ ? add(item, kNewestTag, newest, packed) : ok();
}

Status GapList::table_item(ItemName item, std::uint64_t version) {
  PAWL_ASSERT(with_table_);
  return add(item, kTableTag, version, 0);
}

Status GapList::visit_hole(Group& group, Gap::Kind kind, VersionRange versions,
                           const std::function<Status(const Gap&)>& visit) {
  ++totals_.holes;
  totals_.missing = saturating_add(totals_.missing, size_of(versions));
  if (!group.lacks) ++totals_.items;
  group.lacks = true;
  return visit(
      {kind, {group.name.first, group.name.second}, versions, group.table_version, group.digits});
}

// What only the whole item shows.
Status GapList::end(Group& group, const std::function<Status(const Gap&)>& visit) {
  if (!with_table_) return ok();
  if (!group.table_version) {
    ++totals_.only_in_bucket;
    return ok();
  }
  ++totals_.table_items;
  const auto version = *group.table_version;
  if (!group.newest) {
    ++totals_.no_object;
    // Below the first version that is asked for, nothing is due.
    if (version < first_version_) return ok();
    return visit_hole(group, Gap::Kind::kNoObject, {first_version_, version}, visit);
  }
  if (version < *group.newest) ++totals_.table_behind;
  const auto from = std::max(saturating_add(*group.newest, 1), first_version_);
  if (version <= *group.newest || version < from) return ok();
  return visit_hole(group, Gap::Kind::kTail, {from, version}, visit);
}

Result<GapTotals> GapList::drain(const std::function<Status(const Gap&)>& visit) {
  PAWL_ASSIGN_OR_RETURN(const auto records, sort_.drain());
  Group group;
  bool any = false;
  for (;;) {
    std::string_view record;
    PAWL_ASSIGN_OR_RETURN(const bool more, records->next(record));
    const auto encoded = more ? record.substr(0, record.size() - kRestSize) : record;
    if (any && (!more || encoded != group.encoded)) PAWL_TRY(end(group, visit));
    if (!more) return totals_;
    if (!any || encoded != group.encoded) {
      group = {};
      group.encoded = encoded;
      Reader reader(group.encoded);
      group.name = read_item(reader);
      any = true;
    }
    Reader rest(record.substr(record.size() - kRestSize));
    const auto tag = rest.u8();
    const auto first = rest.u64_be();
    const auto second = rest.u64_be();
    if (tag == kNewestTag) {
      group.newest = first;
      group.digits = {static_cast<std::uint8_t>(second >> 8), static_cast<std::uint8_t>(second)};
    } else if (tag == kTableTag) {
      group.table_version = first;
    } else {
      PAWL_TRY(visit_hole(group, Gap::Kind::kBetween, {first, second}, visit));
    }
  }
}

}  // namespace pawl::audit
