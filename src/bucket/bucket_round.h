// One commit round of the buckets: commands in, outcomes and one batch out. It reads the store, never writes it, and has no
// clock: a function of what is stored, the instant and the commands, which bucket_model_test.cc compares with a model.
//
// Each command sees what those before it in the round have done. A command that is refused changes nothing.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucket/bucket_command.h"
#include "bucket/bucket_format.h"
#include "port/key_value_store.h"

namespace pawl::bucket {

inline constexpr std::size_t kBucketsMax = 1000;
inline constexpr std::uint64_t kPartBytesMin = 5ULL << 20;  // of every part but the last

class BucketRound {
 public:
  // The store must outlive it, and not be written meanwhile.
  BucketRound(KeyValueStore& store, Instant now) : store_(store), now_(now) {}

  // Decides one command. Errors: the store's, or kCorrupt; then the round must be given up.
  Result<Outcome> apply(const Action& action);

  // As those before have left it. Errors: as of apply().
  Result<bool> is_supervised(const std::string& bucket);

  // What the commands changed, to be written as one batch. Files that are not needed once it is durable.
  WriteBatch batch() const;
  bool empty() const;
  // At least as large as what the batch writes: what is kept of a deletion is in it.
  std::size_t bytes() const { return bytes_; }
  const std::vector<std::uint64_t>& dead_files() const { return dead_files_; }

 private:
  Result<Outcome> create(const CreateBucket& command);
  Result<Outcome> remove(const DeleteBucket& command);
  Result<Outcome> supervise(const Supervise& command);
  Result<Outcome> put(const PutObject& command);
  Result<Outcome> put_together(const PutTogether& command);
  Result<Outcome> remove_objects(const DeleteObjects& command);
  Result<Outcome> create_upload(const CreateUpload& command);
  Result<Outcome> put_part(const PutPart& command);
  Result<Outcome> complete(const CompleteUpload& command);
  Result<Outcome> abort(const AbortUpload& command);

  Result<std::optional<std::string>> get(KeySpace space, const std::string& key);
  Result<bool> has(KeySpace space, const std::string& key);
  Result<std::optional<BucketRecord>> bucket(const std::string& name);
  Result<std::optional<ObjectRecord>> object(const std::string& key);
  // At most `max` keys of [from, to) as the round has left them, in order.
  Result<std::vector<std::string>> keys(KeySpace space, const std::string& from,
                                        const std::string& to, std::size_t max);
  void set(KeySpace space, std::string key, std::string value);
  void erase(KeySpace space, std::string key);

  Result<Refusal> check_put(const PutObject& command);
  Result<Refusal> check(const Conditions& conditions, const std::optional<ObjectRecord>& there);
  // Takes an object out of the way of what replaces it (nothing: it is deleted): in a supervised bucket it is kept, unless the
  // other provably has the same bytes; elsewhere its body is released. The kept object whose place the other has from then on.
  Result<std::uint64_t> displace(const std::string& bucket, const std::string& key,
                                 ObjectRecord there, const ObjectRecord* by);
  Result<bool> same_bytes(const ObjectRecord& there, const ObjectRecord& by);
  // The bodies of a record that goes away go with it; those of one that comes are entered.
  Status release(const BodyPlace& place, std::string_view what);
  void release_segment(BodyKind kind, std::uint64_t number);
  void enter(const BodyPlace& place);
  void enter_segment(BodyKind kind, std::uint64_t number);
  // The parts that are not among `kept` (ascending) go, and the upload's records.
  Status end_upload(const std::string& upload, const std::string& id,
                    const std::vector<CompleteUpload::Part>& kept);

  KeyValueStore& store_;
  const Instant now_;
  std::array<std::map<std::string, std::optional<std::string>, std::less<>>, kKeySpaces> changed_;
  std::size_t bytes_ = 0;
  std::vector<std::uint64_t> dead_files_;
};

}  // namespace pawl::bucket
