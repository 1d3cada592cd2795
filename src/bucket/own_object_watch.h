// Looks at the objects that clients put into a bucket of this server. See port/object_watch.h.
//
// Bodies are read as they are stored, to the same bounds as S3ObjectWatch reads them; times are told in whole seconds, as S3 tells
// them, so that a supervised table is judged alike here and there.
#pragma once

#include <cstdint>
#include <string>

#include "bucket/own_access.h"
#include "port/object_watch.h"

namespace pawl::bucket {

// One executor; looks may overlap on it.
class OwnObjectWatch final : public ObjectWatch {
 public:
  // Objects are read up to kReadMax; what is larger is kUnwieldy. One beyond kWholeMax that was written before it was asked for
  // is not read.
  static constexpr std::size_t kWholeMax = std::size_t{512} << 10;
  static constexpr std::uint64_t kReadMax = std::uint64_t{64} << 20;

  OwnObjectWatch(OwnPorts ports, std::string bucket)
      : ports_(std::move(ports)), bucket_(std::move(bucket)) {}

  Awaitable<std::vector<ObjectSeen>> look(std::span<const ObjectAsk> asks) override;

 private:
  OwnPorts ports_;
  std::string bucket_;
};

}  // namespace pawl::bucket
