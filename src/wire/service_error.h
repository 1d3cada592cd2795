// Errors as the AWS JSON protocol gives them: an exception's name, a message, an HTTP code. They are made in
// this folder only; below it, errors are plain (base/result.h, table/command.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/http_message.h"

namespace pawl::wire {

struct ServiceError {
  std::string_view type;  // with its namespace; static storage
  std::string message;
  unsigned status = 400;
  std::string members;  // further JSON members, each with a comma before it; usually empty
};

// The exceptions, with the namespaces that the service gives them.
inline constexpr std::string_view kValidation = "com.amazon.coral.validate#ValidationException";
inline constexpr std::string_view kSerialization =
    "com.amazon.coral.service#SerializationException";
inline constexpr std::string_view kUnknownOperation =
    "com.amazon.coral.service#UnknownOperationException";
inline constexpr std::string_view kThrottling = "com.amazon.coral.availability#ThrottlingException";
inline constexpr std::string_view kServiceUnavailable =
    "com.amazon.coral.availability#ServiceUnavailableException";
inline constexpr std::string_view kMissingToken =
    "com.amazon.coral.service#MissingAuthenticationTokenException";
inline constexpr std::string_view kUnrecognizedClient =
    "com.amazon.coral.service#UnrecognizedClientException";
inline constexpr std::string_view kInvalidSignature =
    "com.amazon.coral.service#InvalidSignatureException";
inline constexpr std::string_view kIncompleteSignature =
    "com.amazon.coral.service#IncompleteSignatureException";
inline constexpr std::string_view kAccessDenied = "com.amazon.coral.service#AccessDeniedException";
inline constexpr std::string_view kConditionalCheckFailed =
    "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
inline constexpr std::string_view kResourceNotFound =
    "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException";
inline constexpr std::string_view kResourceInUse =
    "com.amazonaws.dynamodb.v20120810#ResourceInUseException";
inline constexpr std::string_view kLimitExceeded =
    "com.amazonaws.dynamodb.v20120810#LimitExceededException";
inline constexpr std::string_view kTransactionCanceled =
    "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
inline constexpr std::string_view kIdempotentMismatch =
    "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException";
inline constexpr std::string_view kTrimmedDataAccess =
    "com.amazonaws.dynamodb.v20120810#TrimmedDataAccessException";
inline constexpr std::string_view kExpiredIterator =
    "com.amazonaws.dynamodb.v20120810#ExpiredIteratorException";
inline constexpr std::string_view kInternalServerError =
    "com.amazonaws.dynamodb.v20120810#InternalServerError";

inline constexpr std::string_view kAmzJson = "application/x-amz-json-1.0";

ServiceError validation(std::string message);
ServiceError serialization(std::string message);
// A kInvalid or kMalformed error of a lower folder carries the service's own message; anything else is
// Pawl's defect.
ServiceError service_error_of(const Error& error);

std::string error_body(const ServiceError& error);
HttpResponse error_response(const ServiceError& error);

template <typename T>
using ServiceResult = Result<T, ServiceError>;
using ServiceStatus = ServiceResult<Unit>;

}  // namespace pawl::wire

// base/result.h's macros serve a ServiceResult too.
#define WIRE_TRY(expression) PAWL_TRY(expression)
#define WIRE_ASSIGN(declaration, expression) PAWL_ASSIGN_OR_RETURN(declaration, expression)
