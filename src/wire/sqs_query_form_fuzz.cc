// Any bytes as a form: a structure within its bounds or an error, and then an answer from every operation.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "wire/sqs_operations.h"
#include "wire/sqs_query_form.h"

namespace {

std::size_t depth_of(const pawl::wire::SqsValue& value) {
  std::size_t depth = 0;
  for (const auto& [name, member] : value.members) depth = std::max(depth, depth_of(member) + 1);
  return depth;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pawl::wire;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto value = parse_sqs_form(body);
  if (!value.ok()) return 0;
  if (depth_of(value.value()) > kSqsDepthMax) std::abort();
  for (const char* name : {"CreateQueue", "SendMessage", "SendMessageBatch", "ReceiveMessage",
                           "DeleteMessageBatch", "ChangeMessageVisibility", "ListQueues"}) {
    const SqsCall call{SqsInput(value.value(), SqsProtocol::kQuery), "localhost", "us-east-1", "",
                       "/000000000000/q"};
    const auto plan = find_sqs_operation(name)->plan(call);
    if (!plan.ok() && plan.error().message.empty()) std::abort();
  }
  return 0;
}
