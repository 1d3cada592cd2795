// Objects in a bucket. See port/object_store.h for the contract and docs/internals/archive-format.md for the layout.
//
// A put carries `If-None-Match: *` and its SHA-256, twice: as the signed payload hash, which every store checks, and as
// x-amz-checksum-sha256, which Amazon keeps. 412 says that something is there: it is read and compared, because it may be
// our own write whose answer was lost. Where an answer does not come, or says 500, the put is repeated; what stays in
// doubt ends as kUnknown. Objects under one name within a batch are put one after the other, others many at once, as
// many as the store takes (request_window.h).
//
// What survives a crash: every object that was answered. An upload that breaks off leaves nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapter/request_window.h"
#include "adapter/s3_client.h"
#include "port/object_store.h"

namespace pawl {

// Why a put of a batch was refused that was not begun, because another one had failed. What follows is that one's reason.
inline constexpr std::string_view kPutNotBegun = "not begun after: ";

// One executor; put_if_absent() and get() may overlap on it.
class S3ObjectStore final : public ObjectStore {
 public:
  // The client must outlive it. The bucket must have been probed (s3_archive.h): a store that ignores conditions
  // would overwrite.
  explicit S3ObjectStore(S3Client& client) : client_(client) {}

  Awaitable<std::vector<PutResult>> put_if_absent(std::span<const PutRequest> requests) override;
  Awaitable<Result<std::optional<std::string>>> get(std::string_view name,
                                                    std::size_t size_max) override;
  // What the store has answered is durable, so nothing is in doubt.
  Awaitable<Status> set_aside(std::span<const std::string> names) override;
  bool may_doubt() const override { return false; }
  Result<std::optional<std::uint64_t>> free_bytes() override;

  std::size_t window() const { return window_.size(); }

 private:
  struct Batch;

  Awaitable<void> put_wave(Batch& batch, std::span<const std::size_t> wave);
  Awaitable<void> put_one(Batch& batch, std::size_t index);
  Awaitable<PutResult> compare(const PutRequest& request, const S3Answer& refused);

  S3Client& client_;
  RequestWindow window_;
};

}  // namespace pawl
