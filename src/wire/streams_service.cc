#include "wire/streams_service.h"

#include "wire/request_json.h"
#include "wire/streams_call.h"

namespace pawl::wire {
namespace {

struct Operation {
  std::string_view name;
  ServiceResult<std::string> (*read)(StreamsCall&);
};

constexpr Operation kOperations[] = {
    {"GetRecords", get_records},
    {"GetShardIterator", get_shard_iterator},
    {"DescribeStream", describe_stream},
    {"ListStreams", list_streams},
};

const Operation* find_operation(std::string_view name) {
  for (const Operation& operation : kOperations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

}  // namespace

StreamsService::StreamsService(const table::StreamReader& streams, std::string iterator_key,
                               std::function<Instant()> now)
    : streams_(streams), iterator_key_(std::move(iterator_key)), now_(std::move(now)) {}

void StreamsService::serve(std::string_view operation, const HttpRequest& request,
                           const Caller& caller, Completion completion) const {
  const Operation* found = find_operation(operation);
  if (found == nullptr) {
    return completion.answer(error_response(
        {kUnknownOperation,
         "DynamoDB Streams has no operation '" + std::string(operation.substr(0, 64)) + "'.",
         400,
         {}}));
  }
  thread_local RequestJson parser;
  auto root = parser.parse(request.body);
  auto members = root.ok() ? Members::of(root.value()) : ServiceResult<Members>(root.error());
  if (!members.ok()) {
    completion.answer(error_response(members.error()));
  } else {
    StreamsCall call{std::move(members).value(), streams_, iterator_key_, now_(), caller.region};
    auto body = found->read(call);
    HttpResponse response;
    if (body.ok()) {
      response.content_type = kAmzJson;
      response.body = std::move(body).value();
    } else {
      response = error_response(body.error());
    }
    completion.answer(std::move(response));
  }
  parser.give_back(request.body.size());
}

}  // namespace pawl::wire
