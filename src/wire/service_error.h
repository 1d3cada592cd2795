// Errors as the AWS JSON protocol gives them: an exception's name, a message, an HTTP code. They are made in
// this folder only; below it, errors are plain (base/result.h, table/command.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/assert.h"
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

// Either a T or a ServiceError: base/result.h's Result for this folder.
template <typename T>
class [[nodiscard]] ServiceResult {
 public:
  ServiceResult(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  ServiceResult(ServiceError error)                                             // NOLINT: implicit
      : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  // value() of a failed result, or error() of a good one, is a programmer's error and aborts.
  T& value() & {
    PAWL_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    PAWL_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    PAWL_ASSERT(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  const ServiceError& error() const& {
    PAWL_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }
  ServiceError&& error() && {
    PAWL_ASSERT(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, ServiceError> state_;
};

using ServiceStatus = ServiceResult<Unit>;

}  // namespace pawl::wire

// Returns the error of `expression`, a ServiceResult, from the enclosing function, if it failed.
#define WIRE_TRY(expression)                                                \
  do {                                                                      \
    auto wire_try_result_ = (expression);                                   \
    if (!wire_try_result_.ok()) return std::move(wire_try_result_).error(); \
  } while (false)

// Declares `declaration` from the value of `expression`, or returns its error.
#define WIRE_ASSIGN(declaration, expression) \
  PAWL_ASSIGN_OR_RETURN_(declaration, expression, PAWL_CONCAT_(wire_result_, __LINE__))
