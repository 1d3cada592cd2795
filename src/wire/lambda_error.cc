#include "wire/lambda_error.h"

#include "base/json_writer.h"

namespace pawl::wire {

ServiceError lambda_error(unsigned status, std::string_view type, std::string message) {
  return {type, std::move(message), status, {}};
}

ServiceError invalid_parameter(std::string message) {
  return lambda_error(400, lambda_errors::kInvalidParameter, std::move(message));
}

ServiceError lambda_unsupported(std::string_view what) {
  return lambda_error(400, lambda_errors::kUnsupported,
                      "Pawl does not have " + std::string(what) + " of Lambda.");
}

ServiceError lambda_error_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return lambda_error(404, lambda_errors::kNotFound, error.to_string());
    case ErrorCode::kExists:
      return lambda_error(409, lambda_errors::kConflict, error.to_string());
    case ErrorCode::kConflict:
      return lambda_error(412, lambda_errors::kPrecondition, error.to_string());
    case ErrorCode::kExhausted:
      return lambda_error(400, lambda_errors::kStorage, error.to_string());
    case ErrorCode::kInvalid:
    case ErrorCode::kMalformed:
      return invalid_parameter(error.message);
    default:
      return lambda_error(500, lambda_errors::kService, error.to_string());
  }
}

HttpResponse lambda_response(unsigned status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

HttpResponse lambda_error_response(const ServiceError& error) {
  std::string body;
  JsonWriter(body)
      .begin_object()
      .field("Type", error.status < 500 ? "User" : "Service")
      .field("Message", error.message)
      .field("message", error.message)
      .end_object();
  auto response = lambda_response(error.status, std::move(body));
  const std::string_view type = error.type;
  response.headers.emplace_back("x-amzn-ErrorType", std::string(type.substr(type.find('#') + 1)));
  return response;
}

}  // namespace pawl::wire
