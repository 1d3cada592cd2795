// Amazon SQS over HTTP, standard queues, in both protocols that SDKs speak: AWS JSON 1.0 ("X-Amz-Target:
// AmazonSQS.SendMessage"), and the older query form (a form with Action=SendMessage, answered in XML). The operations are in
// sqs_operations.h and do not know the protocol.
#pragma once

#include <string_view>

#include "queue/command.h"
#include "wire/access_gate.h"
#include "wire/http_message.h"
#include "wire/sqs_value.h"

namespace pawl::wire {

inline constexpr std::string_view kSqsTarget = "AmazonSQS.";
inline constexpr std::string_view kFormContent = "application/x-www-form-urlencoded";

// Thread-safe. The sink must outlive it and every command that it submitted.
class SqsService {
 public:
  explicit SqsService(queue::CommandSink& queues) : queues_(queues) {}

  // `operation` is the target's part behind kSqsTarget.
  void serve_json(std::string_view operation, const HttpRequest& request, const Caller& caller,
                  Completion completion);
  // A request whose body is a form. The caller was admitted.
  void serve_form(const HttpRequest& request, const Caller& caller, Completion completion);

 private:
  void serve(SqsProtocol protocol, std::string_view operation, const SqsValue& value,
             const HttpRequest& request, const Caller& caller, Completion completion);

  queue::CommandSink& queues_;
};

// Whether a request has the form's content type, with or without a charset.
bool is_sqs_form(const HttpRequest& request);

}  // namespace pawl::wire
