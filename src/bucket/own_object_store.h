// Pawl's objects in a bucket of its own server, beside those that clients put there. See port/object_store.h for the contract.
//
// A put is a command of the buckets' one writer, under the condition that the name is free; a batch of them shares its sync. Where a
// name is taken its bytes are read and compared. What was answered is durable, so nothing is ever in doubt.
#pragma once

#include <string>

#include "bucket/own_access.h"
#include "port/object_store.h"

namespace pawl::bucket {

// One executor; calls may overlap on it.
class OwnObjectStore final : public ObjectStore {
 public:
  OwnObjectStore(OwnPorts ports, std::string bucket)
      : ports_(std::move(ports)), bucket_(std::move(bucket)) {}

  Awaitable<std::vector<PutResult>> put_if_absent(std::span<const PutRequest> requests) override;
  Awaitable<Result<std::optional<std::string>>> get(std::string_view name,
                                                    std::size_t size_max) override;
  Awaitable<Status> set_aside(std::span<const std::string> names) override;
  bool may_doubt() const override { return false; }
  Result<std::optional<std::uint64_t>> free_bytes() override;

 private:
  Awaitable<PutResult> compare(const PutRequest& request);

  OwnPorts ports_;
  std::string bucket_;
};

}  // namespace pawl::bucket
