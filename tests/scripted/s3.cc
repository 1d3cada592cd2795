#include "s3.h"

#include <fmt/format.h>

#include <algorithm>

#include "text.h"

namespace scripted {
namespace {

// API reference, PutObject: "409 ConditionalRequestConflict … On a 409 failure you should retry the upload".
Refusal conflict() {
  return {
      409, "ConditionalRequestConflict", "a conflicting operation occurs during the upload", {}};
}

Refusal not_met() {
  return {412,
          "PreconditionFailed",
          "At least one of the pre-conditions you specified did not hold",
          {}};
}

std::string_view without_quotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    return etag.substr(1, etag.size() - 2);
  return etag;
}

// First and one past the last byte of a "bytes=a-b", "bytes=a-" or "bytes=-n" (RFC 9110, section 14.1.2); nothing where the
// header is of another form, which is then ignored.
std::optional<std::pair<std::uint64_t, std::uint64_t>> range_of(std::string_view header,
                                                                std::uint64_t size) {
  constexpr std::string_view kBytes = "bytes=";
  if (!header.starts_with(kBytes)) return std::nullopt;
  header.remove_prefix(kBytes.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_number(header.substr(0, dash));
  const auto last = parse_number(header.substr(dash + 1));
  if (first && last && *last < *first) return std::nullopt;
  if (first) return std::pair{*first, last ? std::min(size, *last + 1) : size};
  if (last && dash == 0) return std::pair{size - std::min(size, *last), size};
  return std::nullopt;
}

// "Checksum header sent": what was signed is what must have come (SigV4, "x-amz-content-sha256").
void check_digests(const Request& request, const std::string& sha256, const std::string& md5) {
  const std::string_view said = request.content_sha256;
  if (said.empty())
    throw Refusal{400,
                  "InvalidRequest",
                  "Missing required header for this request: x-amz-content-sha256",
                  {}};
  if (said.starts_with("STREAMING-"))
    throw Refusal{
        501, "NotImplemented", "the scripted server does not read aws-chunked bodies", {}};
  if (said != "UNSIGNED-PAYLOAD" && said != to_hex(sha256))
    throw Refusal{400,
                  "XAmzContentSHA256Mismatch",
                  "The provided 'x-amz-content-sha256' header does not match what was computed.",
                  {}};
  if (!request.checksum_sha256.empty() && request.checksum_sha256 != to_base64(sha256))
    throw Refusal{
        400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.", {}};
  if (!request.content_md5.empty() && request.content_md5 != to_base64(md5))
    throw Refusal{
        400, "BadDigest", "The Content-MD5 you specified did not match what we received.", {}};
}

}  // namespace

void S3::create_bucket(const std::string& name, std::unique_ptr<const NameFormula> formula,
                       bool keep_bodies) {
  buckets_.erase(name);
  buckets_.try_emplace(name, std::move(formula), keep_bodies);
}

Bucket& S3::bucket(const std::string& name) {
  const auto found = buckets_.find(name);
  if (found == buckets_.end())
    throw Refusal{404, "NoSuchBucket", "The specified bucket does not exist", {}};
  return found->second;
}

bool S3::arrive(const S3Call& call, bool conditional) {
  const auto found = buckets_.find(call.bucket);
  if (found == buckets_.end()) return false;
  Bucket::InFlight& writes = found->second.in_flight[call.key];
  ++writes.writes;
  return conditional && writes.writes > 1;
}

void S3::leave(const S3Call& call) {
  const auto found = buckets_.find(call.bucket);
  if (found == buckets_.end()) return;
  const auto writes = found->second.in_flight.find(call.key);
  // The bucket may have been made anew since it arrived.
  if (writes != found->second.in_flight.end() && --writes->second.writes == 0)
    found->second.in_flight.erase(writes);
}

Reply S3::run(const S3Call& call, const Request& request, const Effects& effects,
              const std::string& sha256, const std::string& md5) {
  if (call.operation == "CreateBucket") return create(call);
  if (call.operation == "PutObject") return put(call, request, effects, sha256, md5);
  if (call.operation == "DeleteObject") return remove(call);
  if (call.operation == "ListObjectsV2") return list_objects(bucket(call.bucket), call);
  if (call.operation == "HeadBucket") {
    bucket(call.bucket);
    Reply reply;
    reply.head = true;
    return reply;
  }
  return get(call, request);
}

Reply S3::create(const S3Call& call) {
  if (buckets_.contains(call.bucket))
    throw Refusal{
        409, "BucketAlreadyOwnedByYou", "The bucket that you tried to create already exists.", {}};
  create_bucket(call.bucket, nullptr, true);
  Reply reply;
  reply.content_type = "application/xml";
  reply.headers = "Location: /" + call.bucket + "\r\n";
  return reply;
}

void S3::check_conditions(Bucket& bucket, const S3Call& call, const Request& request,
                          const std::optional<Object>& there) const {
  // S3 user guide, "conditional writes": a delete that "succeeds before a conditional write operation on that object
  // completes" makes it a 409.
  if (const auto writes = bucket.in_flight.find(call.key);
      writes != bucket.in_flight.end() && writes->second.deleted)
    throw conflict();
  if (!request.if_none_match.empty()) {
    // API reference, PutObject: "Expects the '*' (asterisk) character".
    if (request.if_none_match != "*")
      throw Refusal{501,
                    "NotImplemented",
                    "A header you provided implies functionality that is not implemented",
                    {}};
    if (there) throw not_met();  // FACTS: "`If-None-Match: *` answers 412 if the key exists"
  }
  if (!request.if_match.empty()) {
    // S3 user guide, "conditional writes": 404 where there is no object, 412 where its ETag is another one.
    if (!there) throw Refusal{404, "NoSuchKey", "The specified key does not exist.", {}};
    if (without_quotes(request.if_match) != there->etag) throw not_met();
  }
}

Reply S3::put(const S3Call& call, const Request& request, const Effects& effects,
              const std::string& sha256, const std::string& md5) {
  Bucket& into = bucket(call.bucket);
  const auto there = into.find(call.key);
  PutEntry entry{call.key,          request.body.size(),        sha256,          {}, 200,
                 there.has_value(), there ? there->sha256 : "", clock_->now_ms()};
  if (!request.if_none_match.empty()) entry.condition = "if-none-match";
  if (!request.if_match.empty()) entry.condition = "if-match";
  const auto note = [&](int status) {
    entry.status = status;
    ++into.puts_all;
    into.puts.push_back(std::move(entry));
    while (into.puts.size() > settings_->puts_max) into.puts.pop_front();
  };
  try {
    check_digests(request, sha256, md5);
    if (!effects.ignore_conditions) check_conditions(into, call, request, there);
  } catch (const Refusal& refusal) {
    note(refusal.status);
    throw;
  }
  Object object;
  if (into.keep_bodies()) object.body = std::make_shared<const std::string>(request.body);
  object.size = request.body.size();
  object.sha256 = sha256;
  object.etag = to_hex(md5);
  object.modified_ms = clock_->now_ms();
  if (there && there->etag != object.etag) ++into.overwritten;
  Reply reply;
  reply.content_type = "application/xml";
  reply.headers = "ETag: \"" + object.etag + "\"\r\n";
  into.put(call.key, std::move(object));
  note(200);
  return reply;
}

Reply S3::get(const S3Call& call, const Request& request) {
  const auto object = bucket(call.bucket).find(call.key);
  if (!object) throw Refusal{404, "NoSuchKey", "The specified key does not exist.", {}};
  Reply reply;
  reply.content_type = "binary/octet-stream";
  reply.headers = fmt::format("ETag: \"{}\"\r\nLast-Modified: {}\r\nAccept-Ranges: bytes\r\n",
                              object->etag, http_date(object->modified_ms));
  if (call.operation == "HeadObject") {
    reply.head = true;
    reply.length = object->size;
    return reply;
  }
  if (!object->body)
    throw Refusal{501,
                  "NotImplemented",
                  "this bucket keeps only digests of the bodies that it was given",
                  {}};
  const auto range = range_of(request.range, object->size);
  if (!range) {
    reply.body = *object->body;
    return reply;
  }
  const auto [first, end] = *range;
  if (first >= end)
    throw Refusal{416, "InvalidRange", "The requested range is not satisfiable", {}};
  reply.status = 206;
  reply.headers += fmt::format("Content-Range: bytes {}-{}/{}\r\n", first, end - 1, object->size);
  reply.body = object->body->substr(first, end - first);
  return reply;
}

Reply S3::remove(const S3Call& call) {
  Bucket& from = bucket(call.bucket);
  from.erase(call.key);
  if (const auto writes = from.in_flight.find(call.key); writes != from.in_flight.end())
    writes->second.deleted = true;
  Reply reply;
  reply.status = 204;  // API reference, DeleteObject: also where there was none
  return reply;
}

}  // namespace scripted
