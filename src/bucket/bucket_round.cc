#include "bucket/bucket_round.h"

#include <algorithm>

#include "base/assert.h"

namespace pawl::bucket {
namespace {

Outcome refused(Refusal refusal, std::string why = {}) {
  Outcome outcome;
  outcome.refusal = refusal;
  outcome.why = std::move(why);
  return outcome;
}

std::size_t index_of(KeySpace space) { return static_cast<std::size_t>(space); }

// As it is stored: what stands elsewhere is not in the record.
ObjectRecord without_foreign_bytes(ObjectRecord record) {
  if (record.place.kind != BodyKind::kInline) record.place.bytes.clear();
  return record;
}

}  // namespace

Result<Outcome> BucketRound::apply(const Action& action) {
  if (const auto* put_object = std::get_if<PutObject>(&action)) return put(*put_object);
  if (const auto* puts = std::get_if<PutTogether>(&action)) return put_together(*puts);
  if (const auto* deletion = std::get_if<DeleteObjects>(&action)) return remove_objects(*deletion);
  if (const auto* upload = std::get_if<CreateUpload>(&action)) return create_upload(*upload);
  if (const auto* part = std::get_if<PutPart>(&action)) return put_part(*part);
  if (const auto* completion = std::get_if<CompleteUpload>(&action)) return complete(*completion);
  if (const auto* abortion = std::get_if<AbortUpload>(&action)) return abort(*abortion);
  if (const auto* creation = std::get_if<CreateBucket>(&action)) return create(*creation);
  if (const auto* supervision = std::get_if<Supervise>(&action)) return supervise(*supervision);
  return remove(std::get<DeleteBucket>(action));
}

WriteBatch BucketRound::batch() const {
  WriteBatch batch;
  for (std::size_t space = 0; space < kKeySpaces; ++space) {
    for (const auto& [key, value] : changed_[space]) {
      if (value) {
        batch.put(static_cast<KeySpace>(space), key, *value);
      } else {
        batch.erase(static_cast<KeySpace>(space), key);
      }
    }
  }
  return batch;
}

bool BucketRound::empty() const {
  return std::all_of(changed_.begin(), changed_.end(),
                     [](const auto& space) { return space.empty(); });
}

Result<std::optional<std::string>> BucketRound::get(KeySpace space, const std::string& key) {
  const auto& changed = changed_[index_of(space)];
  const auto found = changed.find(key);
  if (found != changed.end()) return found->second;
  return store_.get(space, key);
}

Result<bool> BucketRound::has(KeySpace space, const std::string& key) {
  PAWL_ASSIGN_OR_RETURN(const auto value, get(space, key));
  return value.has_value();
}

Result<std::optional<BucketRecord>> BucketRound::bucket(const std::string& name) {
  PAWL_ASSIGN_OR_RETURN(const auto bytes, get(kBuckets, bucket_key(name)));
  if (!bytes) return std::optional<BucketRecord>();
  PAWL_ASSIGN_OR_RETURN(BucketRecord record, decode_bucket(*bytes, name));
  return std::optional<BucketRecord>(std::move(record));
}

Result<std::optional<ObjectRecord>> BucketRound::object(const std::string& key) {
  PAWL_ASSIGN_OR_RETURN(const auto bytes, get(kObjects, key));
  if (!bytes) return std::optional<ObjectRecord>();
  PAWL_ASSIGN_OR_RETURN(ObjectRecord record, decode_object(*bytes, key));
  return std::optional<ObjectRecord>(std::move(record));
}

Result<std::vector<std::string>> BucketRound::keys(KeySpace space, const std::string& from,
                                                   const std::string& to, std::size_t max) {
  std::vector<std::string> result;
  const auto& changed = changed_[index_of(space)];
  auto ours = changed.lower_bound(from);
  const auto ours_end = changed.lower_bound(to);
  const auto cursor = store_.cursor(space);
  cursor->seek(from);
  while (result.size() < max) {
    const bool stored = cursor->valid() && cursor->key() < to;
    if (!stored && ours == ours_end) break;
    if (ours != ours_end && (!stored || ours->first <= cursor->key())) {
      if (stored && ours->first == cursor->key()) cursor->next();
      if (ours->second) result.push_back(ours->first);
      ++ours;
    } else {
      result.emplace_back(cursor->key());
      cursor->next();
    }
  }
  PAWL_TRY(cursor->status());
  return result;
}

void BucketRound::set(KeySpace space, std::string key, std::string value) {
  bytes_ += key.size() + value.size();
  changed_[index_of(space)].insert_or_assign(std::move(key), std::move(value));
}

void BucketRound::erase(KeySpace space, std::string key) {
  bytes_ += key.size();
  changed_[index_of(space)].insert_or_assign(std::move(key), std::nullopt);
}

Result<Refusal> BucketRound::check(const Conditions& conditions,
                                   const std::optional<ObjectRecord>& there) {
  if (conditions.absent && there) return Refusal::kConditionFailed;
  if (!conditions.has_etag) return Refusal::kNone;
  if (!there) return Refusal::kNoSuchKey;
  if (*conditions.has_etag != "*" && *conditions.has_etag != there->etag)
    return Refusal::kConditionFailed;
  return Refusal::kNone;
}

void BucketRound::release_segment(BodyKind kind, std::uint64_t number) {
  if (kind == BodyKind::kFile) {
    erase(kFiles, number_key(number));
    dead_files_.push_back(number);
  } else {
    erase(kBodies, number_key(number));
  }
}

Status BucketRound::release(const BodyPlace& place, std::string_view what) {
  if (place.kind == BodyKind::kInline) return ok();
  if (place.kind != BodyKind::kSegments) {
    release_segment(place.kind, place.number);
    return ok();
  }
  PAWL_ASSIGN_OR_RETURN(const auto list, get(kBodies, number_key(place.number)));
  PAWL_ASSIGN_OR_RETURN(const auto segments, decode_segments(list.value_or(std::string()), what));
  for (const Segment& segment : segments) release_segment(segment.kind, segment.number);
  erase(kBodies, number_key(place.number));
  return ok();
}

void BucketRound::enter_segment(BodyKind kind, std::uint64_t number) {
  if (kind == BodyKind::kFile) set(kFiles, number_key(number), {});
}

void BucketRound::enter(const BodyPlace& place) {
  if (place.kind == BodyKind::kInline) return;
  if (place.kind != BodyKind::kFile) set(kBodies, number_key(place.number), place.bytes);
  enter_segment(place.kind, place.number);
}

Result<Outcome> BucketRound::create(const CreateBucket& command) {
  PAWL_ASSIGN_OR_RETURN(const bool exists, has(kBuckets, bucket_key(command.bucket)));
  if (exists) return refused(Refusal::kBucketExists);
  const std::string first = bucket_key("");
  PAWL_ASSIGN_OR_RETURN(const auto buckets,
                        keys(kBuckets, first, behind_prefix(first), kBucketsMax));
  if (buckets.size() >= kBucketsMax) return refused(Refusal::kTooManyBuckets);
  set(kBuckets, bucket_key(command.bucket),
      encode(BucketRecord{now_, command.region, std::nullopt}));
  return Outcome{};
}

Result<Outcome> BucketRound::remove(const DeleteBucket& command) {
  PAWL_ASSIGN_OR_RETURN(const auto about, bucket(command.bucket));
  if (!about) return refused(Refusal::kNoSuchBucket);
  if (about->supervised) return refused(Refusal::kSupervised);
  PAWL_ASSIGN_OR_RETURN(const auto objects, keys(kObjects, object_key(command.bucket, ""),
                                                 objects_end(command.bucket), 1));
  if (!objects.empty()) return refused(Refusal::kBucketNotEmpty);
  PAWL_ASSIGN_OR_RETURN(const auto uploads, keys(kUploads, uploads_begin(command.bucket),
                                                 uploads_end(command.bucket), 1));
  if (!uploads.empty()) return refused(Refusal::kBucketHasUploads);
  erase(kBuckets, bucket_key(command.bucket));
  return Outcome{};
}

Result<Refusal> BucketRound::check_put(const PutObject& command) {
  PAWL_ASSIGN_OR_RETURN(const auto about, bucket(command.bucket));
  if (!about) return Refusal::kNoSuchBucket;
  // What is kept nobody replaces, Pawl included.
  const bool may = command.by_pawl && !command.key.starts_with(kKeptPrefix);
  if (about->supervised && is_reserved(command.key) && !may) return Refusal::kReserved;
  PAWL_ASSIGN_OR_RETURN(const auto there, object(object_key(command.bucket, command.key)));
  return check(command.conditions, there);
}

Result<Outcome> BucketRound::put_together(const PutTogether& command) {
  for (const PutObject& one : command.objects) {
    PAWL_ASSIGN_OR_RETURN(const Refusal refusal, check_put(one));
    if (refusal != Refusal::kNone) return refused(refusal);
  }
  for (const PutObject& one : command.objects) {
    PAWL_ASSIGN_OR_RETURN(const Outcome outcome, put(one));
    PAWL_ASSERT(outcome.refusal == Refusal::kNone);
  }
  Outcome outcome;
  outcome.modified = now_;
  return outcome;
}

Result<Outcome> BucketRound::put(const PutObject& command) {
  PAWL_ASSIGN_OR_RETURN(const Refusal refusal, check_put(command));
  if (refusal != Refusal::kNone) return refused(refusal);
  const std::string key = object_key(command.bucket, command.key);
  PAWL_ASSIGN_OR_RETURN(const auto there, object(key));
  if (command.record.place.kind == BodyKind::kSegments) {
    PAWL_ASSIGN_OR_RETURN(const auto segments,
                          decode_segments(command.record.place.bytes, "a copy"));
    for (const Segment& segment : segments) enter_segment(segment.kind, segment.number);
    for (const auto& [number, bytes] : command.stored_segments)
      set(kBodies, number_key(number), bytes);
  }
  ObjectRecord record = without_foreign_bytes(command.record);
  record.took_place_of = 0;
  if (there) {
    PAWL_ASSIGN_OR_RETURN(record.took_place_of,
                          displace(command.bucket, command.key, *there, &command.record));
  }
  enter(command.record.place);
  record.modified = now_;
  record.kept.reset();  // a copy of what is kept is not
  set(kObjects, key, encode(record));
  Outcome outcome;
  outcome.modified = now_;
  return outcome;
}

Result<Outcome> BucketRound::remove_objects(const DeleteObjects& command) {
  PAWL_ASSIGN_OR_RETURN(const auto about, bucket(command.bucket));
  if (!about) return refused(Refusal::kNoSuchBucket);
  Outcome outcome;
  for (const auto& one : command.objects) {
    if (about->supervised && is_reserved(one.key)) {
      outcome.each.push_back(Refusal::kReserved);
      continue;
    }
    const std::string key = object_key(command.bucket, one.key);
    PAWL_ASSIGN_OR_RETURN(const auto there, object(key));
    PAWL_ASSIGN_OR_RETURN(const Refusal refusal, check({false, one.has_etag}, there));
    outcome.each.push_back(refusal);
    if (refusal != Refusal::kNone || !there) continue;  // what is not there is deleted
    PAWL_TRY(displace(command.bucket, one.key, *there, nullptr));
    erase(kObjects, key);
  }
  return outcome;
}

Result<Outcome> BucketRound::create_upload(const CreateUpload& command) {
  PAWL_ASSERT(command.id.size() == kUploadIdBytes);
  PAWL_ASSIGN_OR_RETURN(const auto about, bucket(command.bucket));
  if (!about) return refused(Refusal::kNoSuchBucket);
  if (about->supervised && is_reserved(command.key)) return refused(Refusal::kReserved);
  UploadRecord record = command.record;
  record.initiated = now_;
  set(kUploads, upload_key(command.bucket, command.key, command.id), encode(record));
  return Outcome{};
}

Result<Outcome> BucketRound::put_part(const PutPart& command) {
  const std::string upload = upload_key(command.bucket, command.key, command.id);
  PAWL_ASSIGN_OR_RETURN(const bool exists, has(kUploads, upload));
  if (!exists) return refused(Refusal::kNoSuchUpload);
  const std::string key = part_key(command.id, command.number);
  PAWL_ASSIGN_OR_RETURN(const auto bytes, get(kUploads, key));
  if (bytes) {
    PAWL_ASSIGN_OR_RETURN(const PartRecord there, decode_part(*bytes, "a part"));
    PAWL_TRY(release(there.place, "a part"));
  }
  enter(command.record.place);
  PartRecord record = command.record;
  record.place.bytes.clear();
  record.modified = now_;
  set(kUploads, key, encode(record));
  Outcome outcome;
  outcome.modified = now_;
  return outcome;
}

Status BucketRound::end_upload(const std::string& upload, const std::string& id,
                               const std::vector<CompleteUpload::Part>& kept) {
  PAWL_ASSIGN_OR_RETURN(const auto parts, keys(kUploads, part_key(id, 0),
                                               part_key(id, kPartNumberMax + 1), kPartNumberMax));
  for (const std::string& key : parts) {
    const bool is_kept =
        std::binary_search(kept.begin(), kept.end(), CompleteUpload::Part{part_number_of(key), {}},
                           [](const auto& a, const auto& b) { return a.number < b.number; });
    if (!is_kept) {
      PAWL_ASSIGN_OR_RETURN(const auto bytes, get(kUploads, key));
      PAWL_ASSIGN_OR_RETURN(const PartRecord part,
                            decode_part(bytes.value_or(std::string()), "a part"));
      PAWL_TRY(release(part.place, "a part"));
    }
    erase(kUploads, key);
  }
  erase(kUploads, upload);
  return ok();
}

Result<Outcome> BucketRound::complete(const CompleteUpload& command) {
  PAWL_ASSERT(!command.parts.empty() && command.list_number != 0);
  const std::string upload = upload_key(command.bucket, command.key, command.id);
  PAWL_ASSIGN_OR_RETURN(const auto declared, get(kUploads, upload));
  if (!declared) return refused(Refusal::kNoSuchUpload);
  PAWL_ASSIGN_OR_RETURN(const UploadRecord about, decode_upload(*declared, command.key));
  // An upload outlives no bucket, and may be older than its supervision.
  PAWL_ASSIGN_OR_RETURN(const auto whose, bucket(command.bucket));
  if (whose && whose->supervised && is_reserved(command.key)) return refused(Refusal::kReserved);
  ObjectRecord record;
  std::vector<Segment> segments;
  for (const auto& chosen : command.parts) {
    PAWL_ASSIGN_OR_RETURN(const auto bytes, get(kUploads, part_key(command.id, chosen.number)));
    Outcome outcome = refused(Refusal::kInvalidPart);
    outcome.part = chosen.number;
    if (!bytes) return outcome;
    PAWL_ASSIGN_OR_RETURN(const PartRecord part, decode_part(*bytes, "a part"));
    if (part.etag != chosen.etag) return outcome;
    outcome.refusal = Refusal::kPartTooSmall;
    if (&chosen != &command.parts.back() && part.bytes < kPartBytesMin) return outcome;
    segments.push_back({part.place.kind, part.place.number, part.bytes});
    record.bytes += part.bytes;
  }
  record.place.kind = BodyKind::kSegments;
  const std::string key = object_key(command.bucket, command.key);
  PAWL_ASSIGN_OR_RETURN(const auto there, object(key));
  PAWL_ASSIGN_OR_RETURN(const Refusal refusal, check(command.conditions, there));
  if (refusal != Refusal::kNone) return refused(refusal);

  record.checksum = command.checksum;
  if (there) {
    PAWL_ASSIGN_OR_RETURN(record.took_place_of,
                          displace(command.bucket, command.key, *there, &record));
  }
  PAWL_TRY(end_upload(upload, command.id, command.parts));
  record.modified = now_;
  record.etag = command.etag;
  record.parts = static_cast<std::uint32_t>(command.parts.size());
  record.headers = about.headers;
  record.place.number = command.list_number;
  set(kBodies, number_key(command.list_number), encode(segments));
  set(kObjects, key, encode(record));
  Outcome outcome;
  outcome.modified = now_;
  outcome.bytes = record.bytes;
  outcome.etag = record.etag;
  return outcome;
}

Result<Outcome> BucketRound::abort(const AbortUpload& command) {
  const std::string upload = upload_key(command.bucket, command.key, command.id);
  PAWL_ASSIGN_OR_RETURN(const bool exists, has(kUploads, upload));
  if (!exists) return refused(Refusal::kNoSuchUpload);
  PAWL_TRY(end_upload(upload, command.id, {}));
  return Outcome{};
}

}  // namespace pawl::bucket
