// Random commands, several a round, with failing writes and crashes, against a model that is a few maps: what was answered as
// done is there, whole; what was refused changed nothing; of a supervised bucket nothing that was replaced or deleted is ever gone;
// and no file and no stored body is left that nothing needs.
#include "bucket/bucket_model_test.h"

#include <algorithm>
#include <set>

#include "bucket/bucket_fixture_test.h"
#include "fault/fault_plan.h"

namespace pawl::bucket {
namespace {

// One command, with what it does to the model.
struct Step {
  Action action;
  std::function<Refusal(Model&)> expected;
};

class ModelRun {
 public:
  explicit ModelRun(std::uint64_t seed) : random_(seed), plan_(seed) {
    plan_.set(FaultPoint::kStoreWrite, 60);
    buckets_.memory.set_fault_plan(&plan_);
  }

  void run(int rounds) {
    for (int i = 0; i < rounds && !::testing::Test::HasFailure(); ++i) {
      buckets_.clock.advance(std::chrono::seconds(1));
      if (random_.below(8) == 0) change_room();
      round();
      if (random_.below(20) == 0) {
        if (random_.below(2) == 0) buckets_.write_file("a body whose command never came");
        reopen();
      }
      plan_.set_enabled(false);
      compare();
      plan_.set_enabled(true);
    }
  }
  std::uint64_t done() const { return done_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t lacked_room() const { return lacked_room_; }
  std::uint64_t unknown() const { return unknown_; }
  std::uint64_t kept() const { return kept_; }

 private:
  void change_room() {
    const table::RoomReserve reserve;
    const auto any = random_.below(10);
    model_.space = any == 0 ? Space::kOwn : any == 1 ? Space::kNone : Space::kEnough;
    const std::uint64_t free = model_.space == Space::kEnough ? reserve.bytes * 2
                               : model_.space == Space::kOwn  ? reserve.bytes / 2
                                                              : reserve.bytes / 8;
    buckets_.memory.set_room({free, 1ULL << 30});
  }
  std::string any_bucket() { return random_.below(2) == 0 ? "alpha" : "beta"; }
  std::string any_key() {
    static const std::vector<std::string> kKeys{"a", "a/b",       "a/c",
                                                "b", "b\x01",     "\xF4\x8F\xBF\xBF",
                                                "z", ".pawl/tip", ".pawl/kept/0000000000000001"};
    return kKeys[random_.below(kKeys.size())];
  }
  std::string any_bytes() { return "bytes " + std::to_string(random_.below(20)); }
  BodyKind any_kind(bool part) {
    return static_cast<BodyKind>(part ? 1 + random_.below(2) : random_.below(3));
  }
  Conditions any_conditions() {
    Conditions conditions;
    switch (random_.below(6)) {
      case 0:
        conditions.absent = true;
        break;
      case 1:
        conditions.has_etag = "*";
        break;
      case 2:
        conditions.has_etag = "etag of " + any_bytes();
        break;
      default:
        break;
    }
    return conditions;
  }
  std::optional<std::string> any_upload() {
    if (model_.uploads.empty()) return std::nullopt;
    auto at = model_.uploads.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(model_.uploads.size())));
    return at->first;
  }

  Step put() {
    const auto bucket = any_bucket(), key = any_key(), bytes = any_bytes();
    const auto conditions = any_conditions();
    const auto kind = any_kind(false);
    auto command = buckets_.put(bucket, key, kind, bytes, conditions);
    command.by_pawl = random_.below(8) == 0;
    const bool by_pawl = command.by_pawl, digest = random_.below(3) == 0;
    if (digest) command.record.checksum = {"sha256", "digest of " + bytes, false};
    return {std::move(command), [=](Model& model) {
              if (!model.buckets.contains(bucket)) return Refusal::kNoSuchBucket;
              const bool may = by_pawl && !key.starts_with(".pawl/kept/");
              if (model.is_pawls(bucket, key) && !may) return Refusal::kReserved;
              Refusal refusal = Refusal::kNone;
              if (model.check(bucket, key, conditions, refusal))
                model.put(bucket, key,
                          {"etag of " + bytes, bytes, kind != BodyKind::kFile, digest, {}, 0});
              return refusal;
            }};
  }
  // Both or neither.
  Step put_together() {
    const auto bucket = any_bucket(), bytes = any_bytes();
    Conditions absent;
    absent.absent = true;
    PutTogether command;
    const std::vector<std::string> keys{"a", "together " + std::to_string(random_.below(5))};
    for (const std::string& key : keys) {
      command.objects.push_back(buckets_.put(bucket, key, BodyKind::kFile, bytes, absent));
      command.objects.back().by_pawl = random_.below(3) != 0;
    }
    return {std::move(command), [=](Model& model) {
              if (!model.buckets.contains(bucket)) return Refusal::kNoSuchBucket;
              Refusal refusal = Refusal::kNone;
              for (const std::string& key : keys) model.check(bucket, key, absent, refusal);
              if (refusal != Refusal::kNone) return refusal;
              for (const std::string& key : keys)
                model.put(bucket, key, {"etag of " + bytes, bytes, false, false, {}, 0});
              return Refusal::kNone;
            }};
  }
  Step remove() {
    DeleteObjects command{any_bucket(), {{any_key(), std::nullopt}, {any_key(), std::nullopt}}};
    return {command, [=](Model& model) {
              if (!model.buckets.contains(command.bucket)) return Refusal::kNoSuchBucket;
              for (const auto& one : command.objects) model.erase(command.bucket, one.key);
              return Refusal::kNone;
            }};
  }
  Step bucket_step() {
    const auto bucket = any_bucket();
    if (random_.below(6) == 0) {
      return {Supervise{bucket}, [=](Model& model) {
                return model.buckets.contains(bucket) ? model.supervise(bucket)
                                                      : Refusal::kNoSuchBucket;
              }};
    }
    if (random_.below(3) != 0) {
      return {CreateBucket{bucket, "us-east-1", random_.below(2) == 0}, [=](Model& model) {
                return model.buckets.try_emplace(bucket).second ? Refusal::kNone
                                                                : Refusal::kBucketExists;
              }};
    }
    return {DeleteBucket{bucket}, [=](Model& model) {
              if (!model.buckets.contains(bucket)) return Refusal::kNoSuchBucket;
              if (model.buckets[bucket].supervised) return Refusal::kSupervised;
              if (!model.buckets[bucket].objects.empty()) return Refusal::kBucketNotEmpty;
              for (const auto& [id, upload] : model.uploads) {
                if (upload.bucket == bucket) return Refusal::kBucketHasUploads;
              }
              model.buckets.erase(bucket);
              return Refusal::kNone;
            }};
  }
  Step create_upload() {
    const auto bucket = any_bucket(), key = any_key();
    std::string id = std::to_string(next_id_++);
    id.insert(0, kUploadIdBytes - id.size(), '0');
    return {CreateUpload{bucket, key, id, {}}, [=](Model& model) {
              if (!model.buckets.contains(bucket)) return Refusal::kNoSuchBucket;
              if (model.is_pawls(bucket, key)) return Refusal::kReserved;
              model.uploads[id] = {bucket, key, {}};
              return Refusal::kNone;
            }};
  }
  Step put_part(const std::string& id) {
    const ModelUpload& upload = model_.uploads.at(id);
    const auto number = static_cast<unsigned>(1 + random_.below(4));
    const auto bytes = any_bytes();
    PutPart command{upload.bucket, upload.key, id, number, {}};
    command.record.bytes = kPartBytesMin;  // what it says; the body is shorter
    command.record.etag = "part of " + bytes;
    command.record.place = buckets_.place(any_kind(true), bytes);
    return {command, [=](Model& model) {
              if (!model.uploads.contains(id)) return Refusal::kNoSuchUpload;
              model.uploads[id].parts[number] = {"part of " + bytes, bytes};
              return Refusal::kNone;
            }};
  }
  Step complete(const std::string& id) {
    const ModelUpload& upload = model_.uploads.at(id);
    CompleteUpload command{upload.bucket, upload.key, id, {}, {}, {}, 0, any_conditions()};
    command.list_number = buckets_.store->new_number();
    for (const auto& [number, part] : upload.parts) {
      if (random_.below(4) != 0 || command.parts.empty())
        command.parts.push_back({number, part.etag});
    }
    if (command.parts.empty() || random_.below(10) == 0)
      command.parts.push_back({9, "no such part"});
    command.etag = "whole " + std::to_string(random_.below(1000));
    return {command, [=](Model& model) {
              const auto found = model.uploads.find(id);
              if (found == model.uploads.end()) return Refusal::kNoSuchUpload;
              if (model.is_pawls(command.bucket, command.key)) return Refusal::kReserved;
              std::string bytes;
              for (const auto& chosen : command.parts) {
                const auto part = found->second.parts.find(chosen.number);
                if (part == found->second.parts.end() || part->second.etag != chosen.etag)
                  return Refusal::kInvalidPart;
                bytes += part->second.bytes;
              }
              Refusal refusal = Refusal::kNone;
              if (!model.check(command.bucket, command.key, command.conditions, refusal))
                return refusal;
              model.put(command.bucket, command.key, {command.etag, bytes, false, false, {}, 0});
              model.uploads.erase(found);
              return Refusal::kNone;
            }};
  }
  Step abort(const std::string& id) {
    const ModelUpload& upload = model_.uploads.at(id);
    return {AbortUpload{upload.bucket, upload.key, id}, [=](Model& model) {
              return model.uploads.erase(id) == 1 ? Refusal::kNone : Refusal::kNoSuchUpload;
            }};
  }
  Step any_step() {
    const auto upload = any_upload();
    switch (random_.below(12)) {
      case 0:
        return bucket_step();
      case 1:
      case 2:
        return remove();
      case 3:
        return create_upload();
      case 4:
      case 5:
      case 6:
        return upload ? put_part(*upload) : create_upload();
      case 7:
        return upload ? complete(*upload) : put();
      case 8:
        return upload && random_.below(3) == 0 ? abort(*upload) : put();
      case 9:
        return random_.below(2) == 0 ? put_together() : put();
      default:
        return put();
    }
  }

  void round() {
    std::vector<Step> steps;
    std::vector<std::shared_ptr<std::optional<Outcome>>> outcomes;
    for (std::uint64_t i = 1 + random_.below(6); i > 0; --i) {
      steps.push_back(any_step());
      outcomes.push_back(buckets_.submit(steps.back().action));
    }
    Model after = model_;
    after.now = buckets_.clock.now();
    std::vector<Refusal> expected;
    for (const Step& step : steps) {
      const bool lacks = after.lacks_room(step.action);
      lacked_room_ += lacks ? 1 : 0;
      expected.push_back(lacks ? Refusal::kNoRoom : step.expected(after));
    }
    if (buckets_.store->committer().run_round() == BucketCommitter::Round::kEnded) {
      ++unknown_;
      for (const auto& outcome : outcomes) EXPECT_FALSE(outcome->has_value());
      EXPECT_NE(buckets_.unknown, "");
      reopen();
      // All of the round, or nothing of it.
      if (dump() == after.dump()) model_ = after;
      return;
    }
    if (outcomes.front()->value().refusal == Refusal::kNotDone) {
      for (const auto& outcome : outcomes) EXPECT_EQ(outcome->value().refusal, Refusal::kNotDone);
      return;
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      EXPECT_EQ(outcomes[i]->value().refusal, expected[i]) << "command " << steps[i].action.index();
      ++(expected[i] == Refusal::kNone ? done_ : refused_);
    }
    model_ = after;
  }

  void reopen() {
    plan_.set_enabled(false);
    buckets_.crash_and_open(random_);
    plan_.set_enabled(true);
  }

  std::string read(const BodyPiece& piece) {
    const Segment& segment = piece.segment;
    if (segment.kind == BodyKind::kStored) stored_.insert(segment.number);
    if (segment.kind != BodyKind::kFile) return piece.bytes;
    named_.insert(segment.number);
    const auto reader = buckets_.files.open(segment.number);
    if (!reader.ok()) return reader.error().message;
    std::string bytes;  // a model's body says another length than it has
    for (auto next = reader.value()->read(0, 1); next.ok();
         next = reader.value()->read(bytes.size(), 1))
      bytes += next.value();
    return bytes;
  }
  std::string body_of(const std::string& bucket, const std::string& key,
                      const ObjectRecord& record) {
    if (record.place.kind == BodyKind::kSegments) stored_.insert(record.place.number);
    std::string bytes;
    const auto pieces = buckets_.store->body(bucket, key, record).value();
    for (const BodyPiece& piece : pieces) bytes += read(piece);
    return bytes;
  }
  std::string part_of(const PartRecord& part) {
    BodyPiece piece{{part.place.kind, part.place.number, part.bytes}, {}};
    if (part.place.kind == BodyKind::kStored)
      piece.bytes = buckets_.memory.get(kBodies, number_key(part.place.number)).value().value();
    return read(piece);
  }

  // What is there, in the words of dump_of; notes which bodies it needs.
  std::string dump() {
    named_.clear();
    stored_.clear();
    std::string text;
    std::map<std::string, std::string> uploads;
    const auto buckets = buckets_.store->buckets().value();
    for (const auto& [bucket, record] : buckets) {
      text += "bucket " + bucket + "\n";
      if (record.supervised)
        text += "keeps " + std::to_string(record.supervised->kept_objects) + "\n";
      const auto page = list_objects(buckets_.memory, bucket, {}).value();
      std::uint64_t kept_bytes = 0;
      for (const auto& [key, object] : page.entries) {
        if (object.kept) kept_bytes += object.bytes;
        text += key + " = " + object.etag + ": " + body_of(bucket, key, object) +
                (object.kept ? Model::words_of(*object.kept) : "") +
                Model::words_of(object.took_place_of) + "\n";
      }
      EXPECT_EQ(record.supervised.value_or(Supervision{}).kept_bytes, kept_bytes);
      const auto under_way = list_uploads(buckets_.memory, bucket, {}).value();
      for (const auto& upload : under_way.entries) {
        std::string& about = uploads[upload.id];
        about = "upload " + upload.id + " of " + bucket + " " + upload.key + "\n";
        const auto parts = list_parts(buckets_.memory, upload.id, 0, 100).value();
        for (const auto& [number, part] : parts.entries) {
          about += std::to_string(number) + " = " + part.etag + ": " + part_of(part) + "\n";
        }
      }
    }
    for (const auto& [id, about] : uploads) text += about;
    return text;
  }

  void compare() {
    buckets_.store->committer().run_round();  // idle: removes what is free
    EXPECT_EQ(dump(), model_.dump());
    for (const auto& [bucket, about] : model_.buckets) kept_ = std::max(kept_, about.kept);
    auto files = buckets_.files.list().value();
    EXPECT_EQ(std::set<BodyNumber>(files.begin(), files.end()), named_) << "files";
    EXPECT_EQ(buckets_.memory.size(kFiles), named_.size());
    EXPECT_EQ(buckets_.memory.size(kBodies), stored_.size());
  }

  SeededRandom random_;
  SeededFaultPlan plan_;
  Buckets buckets_;
  Model model_;
  std::uint64_t next_id_ = 0, done_ = 0, refused_ = 0, lacked_room_ = 0, unknown_ = 0, kept_ = 0;
  std::set<BodyNumber> named_, stored_;
};

TEST(BucketModel, RandomCommandsFaultsAndCrashes) {
  std::uint64_t done = 0, refused = 0, lacked_room = 0, unknown = 0, kept = 0;
  for (std::uint64_t seed = 1; seed <= 200 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ModelRun run(seed);
    run.run(80);
    done += run.done();
    refused += run.refused();
    lacked_room += run.lacked_room();
    unknown += run.unknown();
    kept += run.kept();
  }
  EXPECT_GT(done, 10'000U);
  EXPECT_GT(refused, 1'000U);
  EXPECT_GT(lacked_room, 1'000U);
  EXPECT_GT(unknown, 100U);
  EXPECT_GT(kept, 1'000U);
}

}  // namespace
}  // namespace pawl::bucket
