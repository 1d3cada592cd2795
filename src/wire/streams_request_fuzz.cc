// Any bytes as the body of any operation of DynamoDB Streams, and as an iterator that was signed: an answer each time, and
// never a crash. The first byte chooses the operation, so that a corpus of bodies serves them all.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "item/change.h"
#include "wire/fake_table_test.h"
#include "wire/shard_iterator.h"
#include "wire/streams_service.h"

namespace {

using namespace pawl;  // NOLINT: one file, no header

constexpr std::array<std::string_view, 4> kOperations{"ListStreams", "DescribeStream",
                                                      "GetShardIterator", "GetRecords"};
const std::string kKey(32, 'k');
constexpr Instant kNow{1'795'372'535'771'000};

// One stream of two shards, each with one change: any bytes.
class FakeStreams final : public table::StreamReader {
 public:
  FakeStreams() {
    auto table = std::make_shared<table::Table>();
    table->record.definition.name = "users";
    table->record.definition.schema.partition = {"id", item::Type::kString};
    table->record.definition.partitions = 2;
    table->record.incarnation = {7};
    table->record.streams.push_back(
        {kNow, table::StreamView::kNewAndOldImages, {{0}, {0}}, std::nullopt});
    table_ = std::move(table);
  }
  std::string change;

  std::vector<table::Stream> list(std::string_view, std::string_view, std::string_view,
                                  std::size_t) const override {
    return {stream()};
  }
  std::optional<table::Stream> find(std::string_view table, std::string_view) const override {
    if (table != "users") return std::nullopt;
    return stream();
  }
  std::optional<table::Stream> find(Incarnation, Instant) const override { return stream(); }
  std::optional<table::ShardExtent> extent(const table::Stream&, std::uint32_t) const override {
    return table::ShardExtent{{0}, {0}, {1}, std::nullopt};
  }
  Result<table::ShardRead> read(const table::Stream&, std::uint32_t,
                                std::optional<SequenceNumber> after, std::size_t,
                                const stream::ChangeLog::Visit& visit) const override {
    if (!after || after->value == 0) visit({1}, change);
    return table::ShardRead{{1}, false};
  }

 private:
  table::Stream stream() const { return {table_, &table_->record.streams.front()}; }

  table::TablePtr table_;
};

void ask(const wire::StreamsService& service, std::string_view operation, std::string body) {
  body.reserve(body.size() + wire::kBodyPadding);
  wire::HttpRequest request;
  request.method = "POST";
  request.body = body;
  request.id = "fuzz";
  const auto responder = std::make_shared<wire::FakeResponder>();
  service.serve(operation, request, wire::Caller{}, wire::Completion(responder));
  if (responder->calls != 1 || !responder->response || responder->response->body.empty())
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static FakeStreams streams;
  static const wire::StreamsService service(streams, kKey, [] { return kNow; });
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t choice = data[0] % (kOperations.size() + 1);
  if (choice < kOperations.size()) {
    ask(service, kOperations[choice], bytes);
    return 0;
  }
  // The bytes as a stored change, which the answer is written from.
  streams.change = bytes;
  const std::string token = wire::encode_iterator({{7}, kNow, 1, std::nullopt, kNow}, kKey);
  ask(service, "GetRecords", R"({"ShardIterator":")" + token + "\"}");
  return 0;
}
