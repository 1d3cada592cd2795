// What a round does for supervised buckets: it marks them, and keeps what is replaced or deleted in them. See
// docs/internals/buckets.md, "Supervised buckets".
#include "base/coding.h"
#include "bucket/bucket_round.h"

namespace pawl::bucket {
namespace {

bool has_sha256(const ObjectRecord& record) {
  const Checksum& checksum = record.checksum;
  return checksum.algorithm == "sha256" && !checksum.composite && !checksum.value.empty();
}

}  // namespace

Result<bool> BucketRound::is_supervised(const std::string& bucket_name) {
  PAWL_ASSIGN_OR_RETURN(const auto about, bucket(bucket_name));
  return about && about->supervised.has_value();
}

Result<Outcome> BucketRound::supervise(const Supervise& command) {
  PAWL_ASSIGN_OR_RETURN(auto about, bucket(command.bucket));
  Outcome outcome;
  if (!about) outcome.refusal = Refusal::kNoSuchBucket;
  if (!about || about->supervised) return outcome;
  const std::string kept = object_key(command.bucket, kKeptPrefix);
  PAWL_ASSIGN_OR_RETURN(const auto taken, keys(kObjects, kept, behind_prefix(kept), 1));
  if (!taken.empty()) {
    outcome.refusal = Refusal::kReserved;
    outcome.why = "The bucket has objects below " + std::string(kKeptPrefix) +
                  ", where Pawl keeps what is replaced";
    return outcome;
  }
  about->supervised.emplace();
  set(kBuckets, bucket_key(command.bucket), encode(*about));
  std::string format;
  append_varint(format, kBucketFormat);
  set(kBuckets, std::string(kFormatKey), std::move(format));
  return outcome;
}

// Told cheaply or not at all: by digests that are there, or where both are in memory but for one look into the store.
Result<bool> BucketRound::same_bytes(const ObjectRecord& there, const ObjectRecord& by) {
  if (there.bytes != by.bytes) return false;
  if (has_sha256(there) && has_sha256(by)) return there.checksum.value == by.checksum.value;
  const auto is_small = [](const BodyPlace& place) {
    return place.kind == BodyKind::kInline || place.kind == BodyKind::kStored;
  };
  if (!is_small(there.place) || !is_small(by.place)) return false;
  if (there.place.kind == BodyKind::kInline) return there.place.bytes == by.place.bytes;
  PAWL_ASSIGN_OR_RETURN(const auto stored, get(kBodies, number_key(there.place.number)));
  return stored && *stored == by.place.bytes;
}

Result<std::uint64_t> BucketRound::displace(const std::string& bucket_name, const std::string& key,
                                            ObjectRecord there, const ObjectRecord* by) {
  PAWL_ASSIGN_OR_RETURN(auto about, bucket(bucket_name));
  bool keeps = about && about->supervised && !is_reserved(key);
  if (keeps && by != nullptr) {
    PAWL_ASSIGN_OR_RETURN(const bool same, same_bytes(there, *by));
    keeps = !same;
  }
  if (!keeps) {
    PAWL_TRY(release(there.place, object_key(bucket_name, key)));
    return there.took_place_of;  // the same content goes on
  }
  Supervision& supervised = *about->supervised;
  ++supervised.kept_objects;
  supervised.kept_bytes += there.bytes;
  there.kept = KeptFrom{key, now_, by == nullptr};
  set(kObjects, object_key(bucket_name, kept_key(supervised.kept_objects)), encode(there));
  set(kBuckets, bucket_key(bucket_name), encode(*about));
  return supervised.kept_objects;
}

}  // namespace pawl::bucket
