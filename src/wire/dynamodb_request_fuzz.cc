// Any bytes as the body of any operation: an answer each time, and never a crash. The first byte chooses the
// operation, so that a corpus of bodies serves them all.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "wire/dynamodb_service.h"
#include "wire/fake_table_test.h"

namespace {

constexpr std::array<std::string_view, 16> kOperations{
    "PutItem",        "GetItem",        "UpdateItem",         "DeleteItem",
    "Query",          "Scan",           "CreateTable",        "UpdateTable",
    "BatchWriteItem", "BatchGetItem",   "DeleteTable",        "DescribeTable",
    "ListTables",     "DescribeLimits", "TransactWriteItems", "TransactGetItems"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pawl::wire;
  if (size == 0) return 0;
  static FakeReader reader;
  static FakeSink sink;
  // An outcome is not what is fuzzed here: the sink refuses everything that reaches it.
  sink.outcome.failure = pawl::table::Failure{pawl::table::Refusal::kBusy, {}, {}, {}};
  static DynamoDbService service(reader, sink, [](const std::string&) { return TableDefaults{}; });

  std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  body.reserve(body.size() + kBodyPadding);
  HttpRequest request;
  request.method = "POST";
  request.body = body;
  request.id = "fuzz";
  const auto responder = std::make_shared<FakeResponder>();
  service.serve(kOperations[data[0] % kOperations.size()], request, Caller{},
                Completion(responder));
  if (responder->calls != 1 || !responder->response || responder->response->body.empty())
    std::abort();
  return 0;
}
