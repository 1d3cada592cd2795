#include "wire/s3_error.h"

#include "wire/s3_xml.h"

namespace pawl::wire {
namespace {

S3Error slow_down(std::string message) { return {503, "SlowDown", std::move(message), {}}; }

}  // namespace

S3Error not_implemented(std::string what) {
  return {501, "NotImplemented", std::move(what) + " is not implemented by Pawl.", {}};
}

S3Error invalid_argument(std::string message) {
  return {400, "InvalidArgument", std::move(message), {}};
}

S3Error s3_error_of(const ServiceError& error, bool presigned) {
  const std::string& said = error.message;
  if (error.type == kUnrecognizedClient) {
    return {403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
            {}};
  }
  if (error.type == kIncompleteSignature) {
    return {400,
            presigned ? "AuthorizationQueryParametersError" : "AuthorizationHeaderMalformed",
            said,
            {}};
  }
  if (error.type == kInvalidSignature) {
    const bool time =
        said.starts_with("Signature expired") || said.starts_with("Signature not yet");
    if (time && presigned) return {403, "AccessDenied", "Request has expired. " + said, {}};
    if (time) return {403, "RequestTimeTooSkewed", said, {}};
    return {403, "SignatureDoesNotMatch", said, {}};
  }
  return {403, "AccessDenied", said, {}};
}

S3Error s3_error_of(const Error& error) {
  return {500, "InternalError", "We encountered an internal error: " + error.to_string(), {}};
}

S3Error s3_error_of(const bucket::Outcome& outcome, std::string_view bucket, std::string_view key) {
  std::string named;
  switch (outcome.refusal) {
    case bucket::Refusal::kNoSuchBucket:
      append_xml(named, "BucketName", bucket);
      return {404, "NoSuchBucket", "The specified bucket does not exist", named};
    case bucket::Refusal::kBucketExists:
      append_xml(named, "BucketName", bucket);
      return {409, "BucketAlreadyOwnedByYou",
              "Your previous request to create the named bucket succeeded and you already own it.",
              named};
    case bucket::Refusal::kBucketNotEmpty:
      return {409, "BucketNotEmpty", "The bucket you tried to delete is not empty", {}};
    case bucket::Refusal::kBucketHasUploads:
      return {409,
              "BucketNotEmpty",
              "The bucket you tried to delete has multipart uploads under way: complete or abort "
              "them first",
              {}};
    case bucket::Refusal::kTooManyBuckets:
      return {400, "TooManyBuckets", "You have attempted to create more buckets than allowed", {}};
    case bucket::Refusal::kSupervised:
      return {403,
              "AccessDenied",
              "The bucket is supervised: the objects in it are expected for a table's changes, and "
              "what was replaced is kept in it. Pawl does not delete it.",
              {}};
    case bucket::Refusal::kReserved:
      return {
          403,
          "AccessDenied",
          "In a supervised bucket names that begin with .pawl/ are Pawl's: they can be read, and "
          "neither written nor deleted.",
          {}};
    case bucket::Refusal::kNoSuchKey:
      append_xml(named, "Key", key);
      return {404, "NoSuchKey", "The specified key does not exist.", named};
    case bucket::Refusal::kConditionFailed:
      return {412,
              "PreconditionFailed",
              "At least one of the pre-conditions you specified did not hold",
              {}};
    case bucket::Refusal::kNoSuchUpload:
      return {
          404,
          "NoSuchUpload",
          "The specified upload does not exist. The upload ID may be invalid, or the upload may "
          "have been aborted or completed.",
          {}};
    case bucket::Refusal::kInvalidPart:
      append_xml(named, "PartNumber", outcome.part);
      return {400, "InvalidPart",
              "One or more of the specified parts could not be found. The part may not have been "
              "uploaded, or the specified entity tag may not match the part's entity tag.",
              named};
    case bucket::Refusal::kPartTooSmall:
      append_xml(named, "PartNumber", outcome.part);
      return {400, "EntityTooSmall",
              "Your proposed upload is smaller than the minimum allowed size", named};
    case bucket::Refusal::kNoRoom:
    case bucket::Refusal::kBusy:
      return slow_down(outcome.why);
    case bucket::Refusal::kStopping:
      return {503, "ServiceUnavailable", outcome.why, {}};
    case bucket::Refusal::kNotDone:
    case bucket::Refusal::kNone:
      break;
  }
  return {500, "InternalError", "We encountered an internal error: " + outcome.why, {}};
}

namespace {

S3Error error_of(bucket::Refusal refusal, std::string_view bucket, std::string_view key) {
  bucket::Outcome outcome;
  outcome.refusal = refusal;
  return s3_error_of(outcome, bucket, key);
}

}  // namespace

S3Error no_such_bucket(std::string_view bucket) {
  return error_of(bucket::Refusal::kNoSuchBucket, bucket, {});
}
S3Error no_such_key(std::string_view key) { return error_of(bucket::Refusal::kNoSuchKey, {}, key); }
S3Error condition_failed() { return error_of(bucket::Refusal::kConditionFailed, {}, {}); }

HttpResponse s3_error_response(const S3Error& error, std::string_view resource, std::string_view id,
                               bool head) {
  HttpResponse response;
  response.status = error.status;
  response.headers.emplace_back("x-amz-request-id", std::string(id));
  if (head || error.status == 304) return response;
  response.content_type = "application/xml";
  std::string& body = response.body;
  body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>";
  append_xml(body, "Code", error.code);
  append_xml(body, "Message", error.message);
  body += error.members;
  append_xml(body, "Resource", resource.substr(0, 1024));
  append_xml(body, "RequestId", id);
  body += "</Error>";
  return response;
}

}  // namespace pawl::wire
