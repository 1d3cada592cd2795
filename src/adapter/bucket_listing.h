// The names in any bucket, read-only: it needs s3:ListBucket and nothing else.
//
// A page of a listing has at most 1,000 names, and can be asked for only when the one before has come: at 100 ms an
// answer that is 10,000 names a second. So the listing is divided as it goes: whenever fewer requests are under way than
// may be, the part with most left before it (as far as can be told from how its names went so far) is cut in half, and
// the upper half is listed from there. That half may turn out to hold nothing; then the request has cost little, and the
// next cut is at half of what is left.
#pragma once

#include <memory>
#include <string_view>

#include "adapter/aws_settings.h"
#include "adapter/s3_client.h"
#include "adapter/s3_location.h"
#include "port/name_listing.h"

namespace pawl::adapter {

struct BucketListingOptions {
  std::size_t requests_max = 16;  // at once; with 1 the listing is not divided
  SignedClientOptions client{.interference = nullptr,
                             .retry = {.attempts_max = 8,
                                       .backoff_first = std::chrono::milliseconds(50),
                                       .backoff_last = std::chrono::seconds(5),
                                       .deadline = std::chrono::seconds(90)},
                             .attempt_timeout = std::chrono::seconds(60)};
};

// `endpoint` as given by --s3-endpoint, or "". Asks nothing of the bucket yet. Errors: those of the settings.
Result<std::unique_ptr<NameListing>> open_bucket_listing(const S3Location& location,
                                                         std::string_view endpoint,
                                                         const AwsSurroundings& from,
                                                         const BucketListingOptions& options = {});

}  // namespace pawl::adapter
