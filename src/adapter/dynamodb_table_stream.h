// The change stream of a table, through DynamoDB Streams' API (API reference: DescribeStream, GetShardIterator, GetRecords).
#pragma once

#include "adapter/dynamodb_client.h"
#include "port/table_stream.h"

namespace pawl {

// Holds nothing but the client, which must outlive it.
class DynamoDbTableStream final : public TableStream {
 public:
  explicit DynamoDbTableStream(DynamoDbClient& client) : client_(client) {}

  Awaitable<StreamResult<StreamShardPage>> shards(std::string arn, std::string after) override;
  Awaitable<StreamResult<std::string>> iterator(std::string arn, std::string shard,
                                                StreamPosition position) override;
  Awaitable<StreamResult<StreamRecordPage>> records(std::string iterator,
                                                    std::size_t count_max) override;

 private:
  DynamoDbClient& client_;
};

// What a reader of streams has to know of an answer that is not done.
StreamError to_stream_error(const DynamoDbAnswer& answer, std::string_view attempted);

}  // namespace pawl
