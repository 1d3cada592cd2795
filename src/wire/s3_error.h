// Errors as S3 gives them: an HTTP code, a code in words, a message, in XML.
#pragma once

#include <string>
#include <string_view>

#include "bucket/bucket_command.h"
#include "wire/http_message.h"
#include "wire/service_error.h"

namespace pawl::wire {

struct S3Error {
  unsigned status = 400;
  std::string_view code;  // static storage
  std::string message;
  std::string members;  // further elements of the document, whole; usually empty
};

template <typename T>
using S3Result = Result<T, S3Error>;
using S3Status = S3Result<Unit>;

S3Error not_implemented(std::string what);  // "… is not implemented by Pawl."
S3Error invalid_argument(std::string message);
// What the gate said, in S3's words.
S3Error s3_error_of(const ServiceError& error, bool presigned);
// A store that can't be read: Pawl's own trouble.
S3Error s3_error_of(const Error& error);
// Why a command was refused; not for kNone.
S3Error s3_error_of(const bucket::Outcome& outcome, std::string_view bucket, std::string_view key);

S3Error no_such_bucket(std::string_view bucket);
S3Error no_such_key(std::string_view key);
S3Error condition_failed();

// `resource` is the request's path, `id` its id. Without a body for a HEAD.
HttpResponse s3_error_response(const S3Error& error, std::string_view resource, std::string_view id,
                               bool head);

}  // namespace pawl::wire
