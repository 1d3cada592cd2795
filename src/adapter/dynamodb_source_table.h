// A table that somebody else keeps, through DynamoDB's API. Only reads: DescribeTable, GetItem, BatchGetItem, Scan.
#pragma once

#include "adapter/dynamodb_client.h"
#include "port/source_table.h"

namespace pawl {

// What there is to know of a table, by its name (or ARN). Errors: kNotFound, kInvalid, kUnavailable.
Awaitable<Result<SourceTableFacts>> describe_dynamodb_table(DynamoDbClient& client,
                                                            std::string name);

// The client must outlive it. A key that is no JSON object is kInvalid and sent nowhere.
class DynamoDbSourceTable final : public SourceTable {
 public:
  DynamoDbSourceTable(DynamoDbClient& client, std::string table)
      : client_(client), table_(std::move(table)) {}

  Awaitable<Result<SourceTableFacts>> describe() override;
  Awaitable<Result<std::optional<std::string>>> get(std::string key) override;
  // A batch whose answer would be larger than kDynamoDbAnswerBytesMax is asked for in halves; keys that the service leaves
  // unprocessed are asked for again, up to kFruitlessMax times in a row without any progress.
  Awaitable<Result<std::vector<std::optional<std::string>>>> get_many(
      std::vector<std::string> keys) override;
  Awaitable<Result<SourceItems>> scan(std::uint32_t segment, std::uint32_t segments,
                                      std::string after,
                                      std::vector<std::string> attributes) override;

  static constexpr std::uint32_t kFruitlessMax = 8;

 private:
  class Batch;
  std::string attempted(std::string_view what) const;
  Awaitable<Result<std::size_t>> ask(Batch& batch, std::size_t count);

  DynamoDbClient& client_;
  std::string table_;
};

}  // namespace pawl
