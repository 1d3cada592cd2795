// Errors as Lambda's REST API gives them: the exception's name in a header, its message in the body.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/http_message.h"
#include "wire/service_error.h"

namespace pawl::wire {

// Exceptions of the service model, and Pawl's own for what it does not have.
namespace lambda_errors {
inline constexpr std::string_view kInvalidParameter = "InvalidParameterValueException";
inline constexpr std::string_view kInvalidContent = "InvalidRequestContentException";
inline constexpr std::string_view kNotFound = "ResourceNotFoundException";
inline constexpr std::string_view kConflict = "ResourceConflictException";
inline constexpr std::string_view kPrecondition = "PreconditionFailedException";
inline constexpr std::string_view kTooManyRequests = "TooManyRequestsException";
inline constexpr std::string_view kTooLarge = "RequestTooLargeException";
inline constexpr std::string_view kStorage = "CodeStorageExceededException";
inline constexpr std::string_view kInvalidRuntime = "InvalidRuntimeException";
inline constexpr std::string_view kInvalidZip = "InvalidZipFileException";
inline constexpr std::string_view kService = "ServiceException";
inline constexpr std::string_view kUnsupported = "UnsupportedOperationException";
inline constexpr std::string_view kUnknownOperation = "UnknownOperationException";
}  // namespace lambda_errors

ServiceError lambda_error(unsigned status, std::string_view type, std::string message);
ServiceError invalid_parameter(std::string message);
// `what` is a parameter or an operation that Pawl does not have.
ServiceError lambda_unsupported(std::string_view what);
// Of the catalog.
ServiceError lambda_error_of(const Error& error);

HttpResponse lambda_error_response(const ServiceError& error);
HttpResponse lambda_response(unsigned status, std::string body);

}  // namespace pawl::wire
