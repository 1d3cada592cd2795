// A bucket of this server that is an archive: its clients' objects, and Pawl's ledger of them below .pawl/, so that `pawl verify`
// and its kin read it over the S3 API as they read any archive in a bucket (docs/internals/archive-format.md, "In a bucket").
#pragma once

#include <cstdint>
#include <string>

#include "bucket/own_access.h"
#include "port/clock.h"
#include "port/random.h"
#include "server/bucket_place.h"

namespace pawl::server {

// How the ports of src/bucket (own_object_store.h, own_ledger_store.h, own_object_watch.h) reach the buckets of `place`. Both must
// outlive whoever uses them.
bucket::OwnPorts own_ports(BucketPlace& place, Clock& clock);

struct BucketArchive {
  std::uint64_t id = 0;  // stands in every page
  bool created = false;  // now
};

// Opens it for writing; makes the bucket, and the archive in it, where they are not there. From then on the bucket is supervised
// (docs/internals/buckets.md), for ever. What clients put there before stays as it is. Errors: kCorrupt (archive.json is
// damaged), kInvalid (a newer Pawl's; objects where Pawl is to keep what is replaced), kUnavailable.
Awaitable<Result<BucketArchive>> open_bucket_archive(bucket::OwnPorts ports, std::string name,
                                                     Random& random);

}  // namespace pawl::server
