// From a path-style request to an operation on a bucket and a key (S3 user guide, "Virtual hosting of buckets": path style).
#include <fmt/format.h>

#include "s3.h"
#include "text.h"

namespace scripted {
namespace {

constexpr std::size_t kKeyMax = 1024;  // S3 user guide, "Naming objects": 1,024 bytes

void read_query(S3Call& call, std::string_view query) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const auto name = percent_decode(pair.substr(0, equals), true);
    const auto value =
        percent_decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true);
    if (!name || !value) throw Refusal{400, "InvalidURI", "couldn't parse the specified URI", {}};
    call.query[*name] = *value;
  }
}

std::string operation_of(std::string_view method, const S3Call& call) {
  // What a bucket or an object has beside itself: versions, uploads, policies, … Signed URLs (X-Amz-…) and "x-id" are no more
  // than that.
  for (const auto& [name, value] : call.query) {
    if (name.starts_with("X-Amz-") || name == "x-id") continue;
    if (method != "GET" || !call.key.empty() || !call.query.contains("list-type")) return "";
  }
  if (call.bucket.empty()) return "";
  if (call.key.empty()) {
    if (method == "PUT") return "CreateBucket";
    if (method == "HEAD") return "HeadBucket";
    if (method == "GET" && call.query.contains("list-type")) return "ListObjectsV2";
    return "";
  }
  if (method == "PUT") return "PutObject";
  if (method == "GET") return "GetObject";
  if (method == "HEAD") return "HeadObject";
  if (method == "DELETE") return "DeleteObject";
  return "";
}

}  // namespace

S3Call locate_s3(const Request& request) {
  S3Call call;
  const auto path =
      percent_decode(request.path.substr(std::min<std::size_t>(1, request.path.size())), false);
  if (!path) throw Refusal{400, "InvalidURI", "couldn't parse the specified URI", {}};
  const std::size_t slash = path->find('/');
  call.bucket = path->substr(0, slash);
  if (slash != std::string::npos) call.key = path->substr(slash + 1);
  if (call.key.size() > kKeyMax) throw Refusal{400, "KeyTooLongError", "your key is too long", {}};
  read_query(call, request.query);
  call.operation = operation_of(request.method, call);
  if (call.operation.empty() || !request.copy_source.empty())
    throw Refusal{
        501,
        "NotImplemented",
        fmt::format("the scripted server does not do {} {}", request.method, request.path),
        {}};
  return call;
}

Reply s3_error(const Refusal& refusal, std::string_view resource) {
  Reply reply;
  reply.status = refusal.status;
  reply.content_type = "application/xml";
  reply.body = fmt::format(
      "<?xml version=\"1.0\" "
      "encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message><Resource>{}</Resource>"
      "</Error>",
      xml_escape(refusal.code), xml_escape(refusal.message), xml_escape(resource));
  return reply;
}

}  // namespace scripted
