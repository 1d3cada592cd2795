#include "audit/image_spool.h"

#include <algorithm>

#include "audit/item_record.h"
#include "base/coding.h"

namespace pawl::audit {
namespace {

// Well below what a record of the sort may have. An item has 400 KiB, which as JSON may be more.
constexpr std::size_t kPieceMax = std::size_t{512} << 10;

// Orders as GapRecovery::drain() does: the longest way out of a kind first.
void set_key(std::string& key, std::size_t hole, const Recovery& where) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  key.clear();
  append_u64_be(key, hole);
  append_u64_be(key, where.version);
  append_u8(key, static_cast<std::uint8_t>(where.source));
  const auto until =
      where.until ? static_cast<std::uint64_t>(where.until->microseconds) ^ kSign : 0;
  append_u64_be(key, ~until);
  append_item(key, {where.shard, where.sequence});
}

}  // namespace

Status ImageSpool::add(std::size_t hole, const Recovery& where, std::string_view image) {
  std::uint32_t piece = 0;
  do {
    const auto part = image.substr(0, kPieceMax);
    set_key(key_, hole, where);
    append_u32_be(key_, piece++);
    key_ += part;
    PAWL_TRY(sort_.add(key_));
    image.remove_prefix(part.size());
  } while (!image.empty());
  return ok();
}

Status ImageSpool::begin_taking() {
  PAWL_ASSIGN_OR_RETURN(records_, sort_.drain());
  PAWL_ASSIGN_OR_RETURN(const bool any, records_->next(record_));
  if (!any) record_ = {};
  return ok();
}

Result<bool> ImageSpool::take(std::size_t hole, const Recovery& where, std::string& image) {
  PAWL_ASSERT(records_ != nullptr);
  set_key(key_, hole, where);
  image.clear();
  std::uint32_t pieces = 0;
  while (!record_.empty() && (record_ < key_ || record_.starts_with(key_))) {
    if (record_.starts_with(key_)) {
      Reader rest(record_.substr(key_.size()));
      // A record that the stream gave twice is there twice.
      if (rest.u32_be() == pieces) {
        image += rest.rest();
        ++pieces;
      }
    }
    PAWL_ASSIGN_OR_RETURN(const bool more, records_->next(record_));
    if (!more) record_ = {};
  }
  return pieces > 0;
}

}  // namespace pawl::audit
