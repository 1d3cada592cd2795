#include "bucket/bucket_listing.h"

#include <algorithm>
#include <functional>

namespace pawl::bucket {
namespace {

// What both listings do: they differ in where the names stand, and in what stands behind a name.
struct Walk {
  KeySpace space;
  std::string base;        // of all keys of the bucket
  std::size_t tail_bytes;  // behind the name
};

// What `name` is rolled up into; empty if it isn't.
std::string_view rolled_up(std::string_view name, const ListQuery& query) {
  if (query.delimiter.empty()) return {};
  const std::size_t at = name.find(query.delimiter, query.prefix.size());
  return at == std::string_view::npos ? std::string_view()
                                      : name.substr(0, at + query.delimiter.size());
}

std::string first_position(const Walk& walk, const ListQuery& query) {
  std::string first = walk.base + query.prefix;
  if (query.after.empty()) return first;
  std::string behind = walk.base + query.after;
  if (query.after.starts_with(query.prefix) && rolled_up(query.after, query) == query.after) {
    behind = behind_prefix(behind);
  } else if (!query.after_id.empty()) {
    behind.append(1, '\0').append(query.after_id).append(1, '\0');
  } else {
    behind.push_back(walk.tail_bytes == 0 ? '\0' : '\1');  // names have no byte 0
  }
  return std::max(first, behind);
}

// Calls `take` with each name's key and value. It fills `page` but for the entries.
template <typename Entry>
Status walk_page(KeyValueStore& store, const Walk& walk, const ListQuery& query, Page<Entry>& page,
                 const std::function<Status(std::string_view name, std::string_view tail,
                                            std::string_view value)>& take) {
  if (query.max == 0) return ok();
  const std::string begin = walk.base + query.prefix;
  const auto cursor = store.cursor(walk.space);
  cursor->seek(first_position(walk, query));
  while (cursor->valid() && cursor->key().starts_with(begin)) {
    if (page.entries.size() + page.prefixes.size() >= query.max) {
      page.truncated = true;
      break;
    }
    const std::string_view key = cursor->key().substr(walk.base.size());
    if (key.size() < walk.tail_bytes)
      return Error{ErrorCode::kCorrupt, "listing a bucket: a key is too short", {}};
    const std::string_view name = key.substr(0, key.size() - walk.tail_bytes);
    const std::string_view rolled = rolled_up(name, query);
    if (!rolled.empty()) {
      page.last = rolled;
      page.last_id.clear();
      page.prefixes.push_back(page.last);
      cursor->seek(behind_prefix(walk.base + page.last));
      continue;
    }
    page.last = name;
    PAWL_TRY(take(name, key.substr(name.size()), cursor->value()));
    cursor->next();
  }
  return cursor->status();
}

}  // namespace

Result<Page<ListedObject>> list_objects(KeyValueStore& store, std::string_view bucket,
                                        const ListQuery& query) {
  Page<ListedObject> page;
  const Walk walk{kObjects, object_key(bucket, ""), 0};
  const auto take = [&page](std::string_view name, std::string_view,
                            std::string_view value) -> Status {
    PAWL_ASSIGN_OR_RETURN(ObjectRecord record, decode_object(value, name));
    page.entries.push_back({std::string(name), std::move(record)});
    return ok();
  };
  PAWL_TRY(walk_page(store, walk, query, page, take));
  return page;
}

Result<Page<ListedUpload>> list_uploads(KeyValueStore& store, std::string_view bucket,
                                        const ListQuery& query) {
  Page<ListedUpload> page;
  const Walk walk{kUploads, uploads_begin(bucket), 1 + kUploadIdBytes};
  const auto take = [&page](std::string_view name, std::string_view tail,
                            std::string_view value) -> Status {
    PAWL_ASSIGN_OR_RETURN(UploadRecord record, decode_upload(value, name));
    page.last_id = tail.substr(1);
    page.entries.push_back({std::string(name), page.last_id, std::move(record)});
    return ok();
  };
  PAWL_TRY(walk_page(store, walk, query, page, take));
  return page;
}

Result<Page<ListedObject>> list_shelf(ObjectShelf& shelf, const ListQuery& query) {
  Page<ListedObject> page;
  if (query.max == 0) return page;
  const auto walk = shelf.walk(query.goes_on);
  const auto fold = [&query](std::string_view folder) { return !rolled_up(folder, query).empty(); };
  std::string from = first_position({kObjects, "", 0}, query);
  for (;;) {
    PAWL_ASSIGN_OR_RETURN(const auto name, walk->first(from, fold));
    if (!name || !name->starts_with(query.prefix)) break;
    const std::string_view rolled = rolled_up(*name, query);
    std::optional<ShelvedAbout> about;
    if (rolled.empty()) {
      PAWL_ASSIGN_OR_RETURN(about, walk->about(*name));
      from = *name + '\0';
      if (!about) continue;
    }
    if (page.entries.size() + page.prefixes.size() >= query.max) {
      page.truncated = true;
      break;
    }
    if (about) {
      ObjectRecord record;
      record.bytes = about->bytes;
      record.modified = about->modified;
      page.entries.push_back({*name, std::move(record)});
      page.last = *name;
    } else {
      page.last = rolled;
      page.prefixes.push_back(page.last);
      from = behind_prefix(page.last);
      if (from.empty()) break;  // nothing is behind it
    }
  }
  return page;
}

Result<Page<ListedPart>> list_parts(KeyValueStore& store, std::string_view id, unsigned after,
                                    std::size_t max) {
  Page<ListedPart> page;
  if (after >= kPartNumberMax || max == 0) return page;
  const std::string end = part_key(id, kPartNumberMax + 1);
  const auto cursor = store.cursor(kUploads);
  for (cursor->seek(part_key(id, after + 1)); cursor->valid() && cursor->key() < end;
       cursor->next()) {
    if (page.entries.size() >= max) {
      page.truncated = true;
      break;
    }
    PAWL_ASSIGN_OR_RETURN(PartRecord record, decode_part(cursor->value(), "a part"));
    page.entries.push_back({part_number_of(cursor->key()), std::move(record)});
  }
  PAWL_TRY(cursor->status());
  return page;
}

}  // namespace pawl::bucket
