#include "wire/sqs_service.h"

#include "wire/sqs_operations.h"
#include "wire/sqs_query_form.h"

namespace pawl::wire {
namespace {

HttpResponse error_of(SqsProtocol protocol, const SqsError& error, std::string_view request_id) {
  return protocol == SqsProtocol::kJson ? sqs_json_error(error)
                                        : sqs_query_error(error, request_id);
}

SqsResult<const SqsOperation*> operation_of(std::string_view name) {
  const SqsOperation* operation = find_sqs_operation(name);
  if (operation == nullptr) {
    return sqs_error(sqs_errors::kUnknownAction,
                     "SQS has no operation '" + std::string(name.substr(0, 64)) + "'.");
  }
  if (operation->plan == nullptr) {
    return sqs_unsupported(std::string(operation->left_out) + " (" + std::string(name) + ")");
  }
  return operation;
}

// What an answer needs once the request is gone.
struct Asked {
  Asked(SqsProtocol of, std::string_view name, bool result, std::string_view id, SqsPlan& plan,
        Completion to)
      : protocol(of),
        operation(name),
        has_result(result),
        request_id(id),
        write(std::move(plan.write)),
        completion(std::move(to)) {}

  void answer(const std::optional<queue::Answer>& answer) {
    if (!answer) return completion.close();  // unknown: no answer may be given
    completion.answer(response_to(*answer));
  }

  HttpResponse response_to(const queue::Answer& answer) {
    if (answer.failure) return error_of(protocol, sqs_error_of(*answer.failure), request_id);
    const auto out = make_sqs_answer(protocol, operation, request_id, has_result);
    const auto written = write(answer, *out);
    if (!written.ok()) return error_of(protocol, written.error(), request_id);
    return out->finish();
  }

  SqsProtocol protocol;
  std::string_view operation;  // static storage
  bool has_result;
  std::string request_id;
  std::function<SqsResult<Unit>(const queue::Answer&, SqsAnswer&)> write;
  Completion completion;
};

}  // namespace

bool is_sqs_form(const HttpRequest& request) {
  const std::string_view type = request.header("content-type");
  if (!type.starts_with(kFormContent)) return false;
  const std::string_view rest = type.substr(kFormContent.size());
  return rest.empty() || rest[0] == ';' || rest[0] == ' ';
}

void SqsService::serve_json(std::string_view operation, const HttpRequest& request,
                            const Caller& caller, Completion completion) {
  const auto value = parse_sqs_json(request.body);
  if (!value.ok()) return completion.answer(sqs_json_error(value.error()));
  serve(SqsProtocol::kJson, operation, value.value(), request, caller, std::move(completion));
}

void SqsService::serve_form(const HttpRequest& request, const Caller& caller,
                            Completion completion) {
  const auto value = parse_sqs_form(request.body);
  if (!value.ok()) return completion.answer(sqs_query_error(value.error(), request.id));
  const SqsInput input(value.value(), SqsProtocol::kQuery);
  const auto action = input.text("Action");
  if (!action.ok() || !action.value()) {
    return completion.answer(sqs_query_error(
        sqs_error(sqs_errors::kUnknownAction, "The request must name an Action of SQS."),
        request.id));
  }
  serve(SqsProtocol::kQuery, **action, value.value(), request, caller, std::move(completion));
}

void SqsService::serve(SqsProtocol protocol, std::string_view name, const SqsValue& value,
                       const HttpRequest& request, const Caller& caller, Completion completion) {
  const auto operation = operation_of(name);
  if (!operation.ok()) {
    return completion.answer(error_of(protocol, operation.error(), request.id));
  }
  const SqsCall call{SqsInput(value, protocol), request.header("host"), caller.region,
                     caller.access_key, request.target.substr(0, request.target.find('?'))};
  auto plan = operation.value()->plan(call);
  if (!plan.ok()) return completion.answer(error_of(protocol, plan.error(), request.id));
  queue::Command command = std::move(plan->command);
  command.bytes = request.body.size();
  // std::function must be copyable, so what is asked, which is not, is shared.
  const auto asked =
      std::make_shared<Asked>(protocol, operation.value()->name, operation.value()->has_result,
                              request.id, plan.value(), std::move(completion));
  command.done = [asked](const std::optional<queue::Answer>& answer) { asked->answer(answer); };
  queues_.submit(std::move(command));
}

}  // namespace pawl::wire
