// Looks at somebody else's objects in a bucket: one GET each, since what is there must be read anyhow. Objects of more than
// kWholeMax bytes are read in pieces under If-Match, so that the digest is of one content. See port/object_watch.h.
//
// All looks of one watch share a window (request_window.h), so that at most RequestWindow::kMost bodies of kWholeMax bytes are in
// memory, however many readers look.
#pragma once

#include <set>
#include <span>
#include <vector>

#include "adapter/request_window.h"
#include "adapter/s3_archive.h"
#include "adapter/s3_client.h"
#include "port/object_watch.h"

namespace pawl {

// One executor; looks may overlap on it.
class S3ObjectWatch final : public ObjectWatch {
 public:
  // Objects are read whole up to kWholeMax bytes, in pieces of that up to kReadMax; what is larger is kUnwieldy. What a function
  // writes of an item of 400 KB is far below.
  static constexpr std::size_t kWholeMax = std::size_t{512} << 10;
  static constexpr std::uint64_t kReadMax = std::uint64_t{64} << 20;

  // The client must outlive it. `form`: how its store takes If-Match (s3_archive.h).
  S3ObjectWatch(S3Client& client, EtagForm form) : client_(client), form_(form) {}

  Awaitable<std::vector<ObjectSeen>> look(std::span<const ObjectAsk> asks) override;

 private:
  struct Batch;

  Awaitable<void> look_at_one(Batch& batch, std::size_t index);
  Awaitable<ObjectSeen> look_at(const ObjectAsk& ask);
  Awaitable<ObjectSeen> read_pieces(const ObjectAsk& ask, ObjectSeen seen, std::string etag);
  Awaitable<S3Answer> get(std::string_view name,
                          std::vector<std::pair<std::string, std::string>> headers);

  S3Client& client_;
  EtagForm form_;
  RequestWindow window_;
  std::size_t active_ = 0;
  std::set<Alarm*> callers_;  // each rung when one of anybody's requests has ended
};

}  // namespace pawl
