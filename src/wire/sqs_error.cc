#include "wire/sqs_error.h"

#include "base/json_writer.h"
#include "wire/xml_text.h"

namespace pawl::wire {

SqsError sqs_error(const SqsErrorKind& kind, std::string message) {
  return {kind, std::move(message)};
}

SqsError sqs_unsupported(std::string_view what) {
  return {sqs_errors::kUnsupported,
          "Pawl's queues do not have " + std::string(what) + "; see docs/compatibility.md."};
}

SqsError sqs_error_of(const ServiceError& error) {
  std::string_view code = error.type.substr(error.type.find('#') + 1);
  if (code.ends_with("Exception")) code.remove_suffix(std::string_view("Exception").size());
  return {{error.type, code, error.status, error.status < 500}, error.message};
}

HttpResponse sqs_json_error(const SqsError& error) {
  HttpResponse response;
  response.status = error.kind.status;
  response.content_type = kAmzJson;
  response.headers.emplace_back(
      "x-amzn-query-error",
      std::string(error.kind.code) + (error.kind.sender ? ";Sender" : ";Receiver"));
  response.body = "{\"__type\":\"";
  response.body.append(error.kind.type).append("\",\"message\":");
  append_json_string(response.body, error.message);
  response.body.push_back('}');
  return response;
}

HttpResponse sqs_query_error(const SqsError& error, std::string_view request_id) {
  HttpResponse response;
  response.status = error.kind.status;
  response.content_type = "text/xml";
  std::string& out = response.body;
  out =
      "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">";
  out.append("<Error><Type>").append(error.kind.sender ? "Sender" : "Receiver");
  out.append("</Type><Code>").append(error.kind.code).append("</Code><Message>");
  append_xml_text(out, error.message, XmlControls::kDropped);
  out.append("</Message><Detail/></Error><RequestId>").append(request_id);
  out.append("</RequestId></ErrorResponse>");
  return response;
}

}  // namespace pawl::wire
