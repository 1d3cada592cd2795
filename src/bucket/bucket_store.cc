#include "bucket/bucket_store.h"

#include <algorithm>

#include "base/coding.h"

namespace pawl::bucket {

Result<std::unique_ptr<BucketStore>> BucketStore::open(const BucketPorts& ports,
                                                       BucketCommitterOptions options) {
  std::unique_ptr<BucketStore> store(new BucketStore(ports, options));
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
    append_varint(format, kFormatWithoutSupervision);
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

// Nothing: what the record names is not there (any more).
Result<std::optional<std::vector<BodyPiece>>> BucketStore::pieces_of(const ObjectRecord& record) {
  using Pieces = std::optional<std::vector<BodyPiece>>;
  const BodyPlace& place = record.place;
  std::vector<BodyPiece> pieces;
  if (place.kind == BodyKind::kInline) {
    pieces.push_back({{place.kind, 0, record.bytes}, place.bytes});
    return Pieces(std::move(pieces));
  }
  std::vector<Segment> segments{{place.kind, place.number, record.bytes}};
  if (place.kind == BodyKind::kSegments) {
    PAWL_ASSIGN_OR_RETURN(const auto list, ports_.store.get(kBodies, number_key(place.number)));
    if (!list) return Pieces();
    PAWL_ASSIGN_OR_RETURN(segments, decode_segments(*list, "an object's segments"));
  }
  pieces.reserve(segments.size());
  for (const Segment& segment : segments) {
    BodyPiece piece{segment, {}};
    // Of an object in parts at most the last: no other may be so small.
    if (segment.kind != BodyKind::kFile) {
      PAWL_ASSIGN_OR_RETURN(auto bytes, ports_.store.get(kBodies, number_key(segment.number)));
      if (!bytes) return Pieces();
      piece.bytes = *std::move(bytes);
    }
    pieces.push_back(std::move(piece));
  }
  return Pieces(std::move(pieces));
}

Result<std::vector<BodyPiece>> BucketStore::body(std::string_view name, std::string_view key,
                                                 const ObjectRecord& record) {
  PAWL_ASSIGN_OR_RETURN(auto pieces, pieces_of(record));
  if (pieces) return *std::move(pieces);
  PAWL_ASSIGN_OR_RETURN(const auto there, object(name, key));
  const std::string what = "reading the body of " + std::string(key);
  // Numbers are given once: the same one is the same body.
  if (there && there->place.kind == record.place.kind &&
      there->place.number == record.place.number) {
    return Error{ErrorCode::kCorrupt, what + ": it is gone, and its record is not",
                 "restore the data directory from a copy"};
  }
  return Error{ErrorCode::kNotFound, what + ": it was replaced meanwhile", "ask again"};
}

Result<std::optional<BucketStore::Whole>> BucketStore::object_with_body(std::string_view name,
                                                                        std::string_view key) {
  for (;;) {  // each time somebody else's write has been done meanwhile
    PAWL_ASSIGN_OR_RETURN(auto record, object(name, key));
    if (!record) return std::optional<Whole>();
    auto pieces = body(name, key, *record);
    if (pieces.ok()) return std::optional<Whole>(Whole{*std::move(record), std::move(*pieces)});
    if (pieces.error().code != ErrorCode::kNotFound) return pieces.error();
  }
}

std::vector<BodyNumber> files_of(const std::vector<BodyPiece>& pieces) {
  std::vector<BodyNumber> files;
  for (const BodyPiece& piece : pieces) {
    if (piece.segment.kind == BodyKind::kFile) files.push_back(piece.segment.number);
  }
  return files;
}

}  // namespace pawl::bucket
