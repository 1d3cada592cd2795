// An archive in a bucket, read-only, for verify and history: it needs s3:GetObject and s3:ListBucket and nothing else.
#pragma once

#include <memory>
#include <string_view>

#include "adapter/aws_settings.h"
#include "adapter/s3_location.h"
#include "port/archive_view.h"

namespace pawl::adapter {

// Blocks the calling thread in every call. `endpoint` as given by --s3-endpoint, or "". Errors: kNotFound with a hint
// where the bucket holds no archive; those of the settings; kUnavailable.
Result<std::unique_ptr<ArchiveView>> open_s3_archive_view(const S3Location& location,
                                                          std::string_view endpoint,
                                                          const AwsSurroundings& from);

}  // namespace pawl::adapter
