#include "server/archive_place.h"

#include <fmt/format.h>

#include "adapter/directory_archive_view.h"
#include "adapter/s3_archive_view.h"
#include "adapter/s3_location.h"

namespace pawl::server {

bool ArchivePlace::in_bucket() const { return is_s3_url(where); }

std::string ArchivePlace::to_option() const { return in_bucket() ? where : "dir:" + where; }

Result<ArchivePlace> parse_archive_place(const std::string& text, const std::string& s3_endpoint) {
  if (is_s3_url(text)) {
    PAWL_ASSIGN_OR_RETURN(const auto location, parse_s3_url(text));
    return ArchivePlace{location.to_string(), s3_endpoint};
  }
  const auto path = text.starts_with("dir:") ? text.substr(4) : text;
  if (path.empty() || path.find("://") != std::string::npos) {
    return Error{ErrorCode::kInvalid, fmt::format("\"{}\" is no archive", text),
                 "archives are folders, dir:PATH, or buckets, s3://BUCKET/PREFIX"};
  }
  if (!s3_endpoint.empty()) {
    return Error{ErrorCode::kInvalid,
                 fmt::format("--s3-endpoint is given, and the archive {} is a folder", path),
                 "leave it out, or give s3://BUCKET/PREFIX"};
  }
  return ArchivePlace{path, {}};
}

Result<std::unique_ptr<ArchiveView>> open_archive_view(const ArchivePlace& place) {
  if (!place.in_bucket()) return adapter::open_directory_archive(place.where);
  PAWL_ASSIGN_OR_RETURN(const auto location, parse_s3_url(place.where));
  return adapter::open_s3_archive_view(location, place.s3_endpoint, AwsSurroundings::of_process());
}

}  // namespace pawl::server
