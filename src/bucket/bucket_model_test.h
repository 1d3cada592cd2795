// What must be in the buckets, as a few maps: for bucket_model_test.cc.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bucket/bucket_command.h"

namespace pawl::bucket {

struct ModelPart {
  std::string etag, bytes;
};
struct ModelUpload {
  std::string bucket, key;
  std::map<unsigned, ModelPart> parts;
};
struct ModelObject {
  std::string etag, bytes;
  bool small = false;      // its bytes are in the store
  bool digest = false;     // it has a SHA-256
  std::string kept;        // of what is kept: from where, when, and how
  std::uint64_t took = 0;  // the kept object whose place it took
};
struct ModelBucket {
  std::map<std::string, ModelObject> objects;
  bool supervised = false;
  std::uint64_t kept = 0;
};

// On the disk: enough, enough for what is Pawl's, or none.
enum class Space : std::uint8_t { kEnough, kOwn, kNone };

struct Model {
  Space space = Space::kEnough;
  std::map<std::string, ModelBucket> buckets;
  std::map<std::string, ModelUpload> uploads;  // by id
  Instant now;

  bool check(const std::string& bucket, const std::string& key, const Conditions& conditions,
             Refusal& refusal) const {
    const auto& objects = buckets.at(bucket).objects;
    const auto there = objects.find(key);
    if (conditions.absent && there != objects.end()) refusal = Refusal::kConditionFailed;
    if (conditions.has_etag) {
      if (there == objects.end()) {
        refusal = Refusal::kNoSuchKey;
      } else if (*conditions.has_etag != "*" && *conditions.has_etag != there->second.etag) {
        refusal = Refusal::kConditionFailed;
      }
    }
    return refusal == Refusal::kNone;
  }
  bool is_pawls(const std::string& bucket, const std::string& key) const {
    return buckets.at(bucket).supervised && key.starts_with(".pawl/");
  }
  bool lacks_room(const Action& action) const {
    if (space == Space::kEnough || std::holds_alternative<DeleteBucket>(action) ||
        std::holds_alternative<AbortUpload>(action))
      return false;
    if (const auto* deletion = std::get_if<DeleteObjects>(&action)) {
      const auto about = buckets.find(deletion->bucket);
      return about != buckets.end() && about->second.supervised;
    }
    bool is_own = std::holds_alternative<Supervise>(action);
    if (const auto* one = std::get_if<PutObject>(&action)) is_own = one->by_pawl;
    if (const auto* two = std::get_if<PutTogether>(&action))
      is_own = two->objects[0].by_pawl && two->objects[1].by_pawl;
    if (const auto* made = std::get_if<CreateBucket>(&action)) is_own = made->by_pawl;
    return space == Space::kNone || !is_own;
  }
  void put(const std::string& bucket, const std::string& key, ModelObject object) {
    ModelBucket& about = buckets[bucket];
    const auto there = about.objects.find(key);
    if (there != about.objects.end()) {
      const ModelObject& old = there->second;
      const bool comparable = (old.digest && object.digest) || (old.small && object.small);
      const bool same = comparable && old.bytes == object.bytes;
      object.took = same || !keep(about, key, old, false) ? old.took : about.kept;
    }
    about.objects[key] = std::move(object);
  }
  void erase(const std::string& bucket, const std::string& key) {
    ModelBucket& about = buckets[bucket];
    const auto there = about.objects.find(key);
    if (there == about.objects.end() || is_pawls(bucket, key)) return;
    keep(about, key, there->second, true);
    about.objects.erase(key);
  }
  Refusal supervise(const std::string& bucket) {
    ModelBucket& about = buckets[bucket];
    if (about.supervised) return Refusal::kNone;
    for (const auto& [key, object] : about.objects) {
      if (key.starts_with(".pawl/kept/")) return Refusal::kReserved;
    }
    about.supervised = true;
    return Refusal::kNone;
  }

  std::string dump() const {
    std::string text;
    for (const auto& [bucket, about] : buckets) {
      text += "bucket " + bucket + "\n";
      if (about.supervised) text += "keeps " + std::to_string(about.kept) + "\n";
      for (const auto& [key, object] : about.objects)
        text += key + " = " + object.etag + ": " + object.bytes + object.kept +
                words_of(object.took) + "\n";
    }
    for (const auto& [id, upload] : uploads) {
      text += "upload " + id + " of " + upload.bucket + " " + upload.key + "\n";
      for (const auto& [number, part] : upload.parts)
        text += std::to_string(number) + " = " + part.etag + ": " + part.bytes + "\n";
    }
    return text;
  }

  static std::string words_of(const KeptFrom& kept) {
    return (kept.deleted ? ", deleted as " : ", replaced as ") + kept.key + " at " +
           kept.at.to_string();
  }

  static std::string words_of(std::uint64_t took) {
    return took == 0 ? "" : ", in the place of " + std::to_string(took);
  }

 private:
  bool keep(ModelBucket& about, const std::string& key, ModelObject object, bool deleted) {
    if (!about.supervised || key.starts_with(".pawl/")) return false;
    object.kept = words_of({key, now, deleted});
    std::string number = std::to_string(++about.kept);
    number.insert(0, 16 - number.size(), '0');
    about.objects[".pawl/kept/" + number] = std::move(object);
    return true;
  }
};

}  // namespace pawl::bucket
