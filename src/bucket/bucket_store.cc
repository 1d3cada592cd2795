#include "bucket/bucket_store.h"

#include <algorithm>

#include "base/coding.h"

namespace pawl::bucket {
namespace {

constexpr std::string_view kFormatKey = "format";

}  // namespace

Result<std::unique_ptr<BucketStore>> BucketStore::open(BucketPorts ports,
                                                       BucketCommitterOptions options) {
  std::unique_ptr<BucketStore> store(new BucketStore(std::move(ports), options));
  PAWL_TRY(store->check_format());
  PAWL_ASSIGN_OR_RETURN(const auto files, store->ports_.files.list());
  PAWL_TRY(store->find_next_number(files));
  PAWL_TRY(store->remove_unnamed(files));
  return store;
}

Status BucketStore::check_format() {
  PAWL_ASSIGN_OR_RETURN(const auto found, ports_.store.get(kBuckets, kFormatKey));
  if (!found) {
    std::string format;
    append_varint(format, kBucketFormat);
    WriteBatch batch;
    batch.put(kBuckets, std::string(kFormatKey), std::move(format));
    const WriteResult written = ports_.store.write(batch, Sync::kYes);
    if (written.outcome == WriteOutcome::kDone) return ok();
    return Error{ErrorCode::kUnavailable, "making the store of the buckets: " + written.why, {}};
  }
  Reader reader(*found);
  const std::uint64_t format = reader.varint();
  if (!reader.at_end())
    return Error{ErrorCode::kCorrupt, "opening the buckets: their format says nothing known", {}};
  if (format <= kBucketFormat) return ok();
  return Error{ErrorCode::kInvalid,
               "opening the buckets: they have format " + std::to_string(format) +
                   ", and this pawl reads up to " + std::to_string(kBucketFormat),
               "use the newer Pawl that wrote it"};
}

Status BucketStore::find_next_number(const std::vector<BodyNumber>& files) {
  BodyNumber greatest = 0;
  for (const KeySpace space : {kBodies, kFiles}) {
    const auto cursor = ports_.store.cursor(space);
    cursor->seek_for_prev(number_key(~std::uint64_t{0}));
    if (cursor->valid()) greatest = std::max(greatest, number_of(cursor->key()));
    PAWL_TRY(cursor->status());
  }
  for (const BodyNumber file : files) greatest = std::max(greatest, file);
  next_number_ = greatest + 1;
  return ok();
}

Status BucketStore::remove_unnamed(const std::vector<BodyNumber>& files) {
  for (const BodyNumber file : files) {
    PAWL_ASSIGN_OR_RETURN(const auto named, ports_.store.get(kFiles, number_key(file)));
    if (!named) PAWL_TRY(ports_.files.remove(file));
  }
  return ok();
}

Result<std::optional<BucketRecord>> BucketStore::bucket(std::string_view name) {
  PAWL_ASSIGN_OR_RETURN(const auto found, ports_.store.get(kBuckets, bucket_key(name)));
  if (!found) return std::optional<BucketRecord>();
  PAWL_ASSIGN_OR_RETURN(BucketRecord record, decode_bucket(*found, name));
  return std::optional<BucketRecord>(std::move(record));
}

Result<std::vector<std::pair<std::string, BucketRecord>>> BucketStore::buckets() {
  std::vector<std::pair<std::string, BucketRecord>> result;
  const std::string first = bucket_key("");
  const auto cursor = ports_.store.cursor(kBuckets);
  for (cursor->seek(first); cursor->valid() && cursor->key().starts_with(first); cursor->next()) {
    const std::string_view name = cursor->key().substr(first.size());
    PAWL_ASSIGN_OR_RETURN(BucketRecord record, decode_bucket(cursor->value(), name));
    result.emplace_back(std::string(name), std::move(record));
  }
  PAWL_TRY(cursor->status());
  return result;
}

Result<std::optional<ObjectRecord>> BucketStore::object(std::string_view name,
                                                        std::string_view key) {
  PAWL_ASSIGN_OR_RETURN(const auto found, ports_.store.get(kObjects, object_key(name, key)));
  if (!found) return std::optional<ObjectRecord>();
  PAWL_ASSIGN_OR_RETURN(ObjectRecord record, decode_object(*found, key));
  return std::optional<ObjectRecord>(std::move(record));
}

Result<std::optional<UploadRecord>> BucketStore::upload(std::string_view name, std::string_view key,
                                                        std::string_view id) {
  if (id.size() != kUploadIdBytes) return std::optional<UploadRecord>();
  PAWL_ASSIGN_OR_RETURN(const auto found, ports_.store.get(kUploads, upload_key(name, key, id)));
  if (!found) return std::optional<UploadRecord>();
  PAWL_ASSIGN_OR_RETURN(UploadRecord record, decode_upload(*found, key));
  return std::optional<UploadRecord>(std::move(record));
}

Result<std::string> BucketStore::stored(BodyNumber number) {
  PAWL_ASSIGN_OR_RETURN(auto found, ports_.store.get(kBodies, number_key(number)));
  if (found) return *std::move(found);
  return Error{ErrorCode::kNotFound, "reading body " + std::to_string(number) + ": it is gone",
               "it was replaced meanwhile: ask again"};
}

Result<std::vector<Segment>> BucketStore::segments(const ObjectRecord& record) {
  if (record.place.kind != BodyKind::kSegments)
    return std::vector<Segment>{{record.place.kind, record.place.number, record.bytes}};
  PAWL_ASSIGN_OR_RETURN(const std::string list, stored(record.place.number));
  return decode_segments(list, "an object's segments");
}

}  // namespace pawl::bucket
