#include "wire/dynamodb_service.h"

#include <memory>
#include <optional>

#include "base/digest.h"
#include "wire/dynamodb_answer.h"
#include "wire/request_json.h"

namespace pawl::wire {
namespace {

using CommandOperation = ServiceResult<table::Command> (*)(DynamoDbCall&);
using ReadOperation = ServiceResult<std::string> (*)(DynamoDbCall&);

struct Operation {
  std::string_view name;
  CommandOperation command = nullptr;  // one of the two
  ReadOperation read = nullptr;
};

constexpr Operation kOperations[] = {
    {"UpdateItem", update_item, nullptr},
    {"GetItem", nullptr, get_item},
    {"PutItem", put_item, nullptr},
    {"Query", nullptr, query},
    {"DeleteItem", delete_item, nullptr},
    {"BatchWriteItem", batch_write_item, nullptr},
    {"BatchGetItem", nullptr, batch_get_item},
    {"TransactWriteItems", transact_write_items, nullptr},
    {"TransactGetItems", nullptr, transact_get_items},
    {"Scan", nullptr, scan},
    {"CreateTable", create_table, nullptr},
    {"DescribeTable", nullptr, describe_table},
    {"ListTables", nullptr, list_tables},
    {"UpdateTable", update_table, nullptr},
    {"DeleteTable", delete_table, nullptr},
    {"DescribeLimits", nullptr, describe_limits},
    {"DescribeTimeToLive", nullptr, describe_time_to_live},
    {"DescribeContinuousBackups", nullptr, describe_continuous_backups},
};

const Operation* find_operation(std::string_view name) {
  for (const Operation& operation : kOperations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

constexpr std::size_t kRepeatIdMax = 128;  // table::RepeatGuard

// SDKs send the same id with every attempt of one call.
std::optional<table::RepeatGuard> invocation_guard(std::string_view operation,
                                                   const HttpRequest& request,
                                                   const Caller& caller) {
  const std::string_view id = request.header("amz-sdk-invocation-id");
  if (id.empty() || id.size() > kRepeatIdMax) return std::nullopt;  // no SDK's: they are UUIDs
  thread_local Sha256 digest;
  digest.update(operation);
  digest.update("\n");
  digest.update(request.body);
  return table::RepeatGuard{.caller = caller.access_key.substr(0, kRepeatIdMax),
                            .id = std::string(id),
                            .client_token = false,
                            .request = digest.finish()};
}

}  // namespace

DynamoDbService::DynamoDbService(const table::TableReader& tables, table::CommandSink& commands,
                                 TableDefaultsFor table_defaults)
    : tables_(tables), commands_(commands), table_defaults_(std::move(table_defaults)) {}

void DynamoDbService::serve(std::string_view operation, const HttpRequest& request,
                            const Caller& caller, Completion completion) {
  const Operation* found = find_operation(operation);
  if (found == nullptr) {
    return completion.answer(error_response({kUnknownOperation,
                                             "Pawl does not serve the DynamoDB operation '" +
                                                 std::string(operation.substr(0, 64)) + "' (yet).",
                                             400,
                                             {}}));
  }
  thread_local RequestJson parser;
  auto root = parser.parse(request.body);
  auto members = root.ok() ? Members::of(root.value()) : ServiceResult<Members>(root.error());
  if (!members.ok()) {
    completion.answer(error_response(members.error()));
  } else {
    DynamoDbCall call{std::move(members).value(), tables_, table_defaults_, caller.region,
                      caller.access_key};
    if (found->read != nullptr) {
      auto body = found->read(call);
      HttpResponse response;
      if (body.ok()) {
        response.content_type = kAmzJson;
        response.body = std::move(body).value();
      } else {
        response = error_response(body.error());
      }
      completion.answer(std::move(response));
    } else {
      auto command = found->command(call);
      if (command.ok()) {
        submit(std::move(command).value(), operation, request, caller, std::move(completion));
      } else {
        completion.answer(error_response(command.error()));
      }
    }
  }
  parser.give_back(request.body.size());
}

void DynamoDbService::submit(table::Command command, std::string_view operation,
                             const HttpRequest& request, const Caller& caller,
                             Completion completion) {
  command.invocation = invocation_guard(operation, request, caller);
  command.trace = request.id;
  command.bytes = request.body.size();
  // std::function must be copyable, so the completion, which is not, is shared.
  command.done = [shared = std::make_shared<Completion>(std::move(completion))](
                     std::optional<std::string> answer) {
    if (answer) {
      shared->answer(response_of_rendered(std::move(*answer)));
    } else {
      shared->close();  // unknown: no answer may be given
    }
  };
  commands_.submit(std::move(command));
}

}  // namespace pawl::wire
