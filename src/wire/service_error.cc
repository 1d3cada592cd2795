#include "wire/service_error.h"

#include "base/json_writer.h"

namespace pawl::wire {

ServiceError validation(std::string message) { return {kValidation, std::move(message), 400, {}}; }
ServiceError serialization(std::string message) {
  return {kSerialization, std::move(message), 400, {}};
}

ServiceError service_error_of(const Error& error) {
  if (error.code == ErrorCode::kInvalid) return validation(error.message);
  if (error.code == ErrorCode::kMalformed) return serialization(error.message);
  return {kInternalServerError, error.to_string(), 500, {}};
}

std::string error_body(const ServiceError& error) {
  std::string body = "{\"__type\":\"";
  body.append(error.type);
  body.append("\",\"message\":");
  append_json_string(body, error.message);
  body.append(error.members);
  body.push_back('}');
  return body;
}

HttpResponse error_response(const ServiceError& error) {
  HttpResponse response;
  response.status = error.status;
  response.content_type = kAmzJson;
  response.body = error_body(error);
  return response;
}

}  // namespace pawl::wire
