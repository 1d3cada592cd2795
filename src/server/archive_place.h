// Where an archive is: a folder, or a bucket.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "port/archive_view.h"

namespace pawl::server {

struct ArchivePlace {
  std::string where;        // a folder's path, or s3://BUCKET/PREFIX
  std::string s3_endpoint;  // of a bucket; "" = as AWS's own settings say

  bool in_bucket() const;
  std::string to_option() const;  // what --archive takes: "dir:PATH", "s3://BUCKET/PREFIX"
};

// "dir:PATH", a path, or "s3://BUCKET/PREFIX". Errors: kInvalid.
Result<ArchivePlace> parse_archive_place(const std::string& text, const std::string& s3_endpoint);

// For verify and history: reads only. Errors: kNotFound, and of a bucket what its store says.
Result<std::unique_ptr<ArchiveView>> open_archive_view(const ArchivePlace& place);

}  // namespace pawl::server
