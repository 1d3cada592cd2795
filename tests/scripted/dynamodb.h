// Amazon DynamoDB's API as far as a guard needs it (API reference, X-Amz-Target DynamoDB_20120810): CreateTable, DescribeTable,
// ListTables, DeleteTable, PutItem, DeleteItem, GetItem, BatchGetItem, Scan. A table is ACTIVE at once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "clock.h"
#include "faults.h"
#include "json.h"
#include "streams_api.h"
#include "table.h"

namespace scripted {

class DynamoDb {
 public:
  DynamoDb(const Clock& clock, StreamsApi& streams) : clock_(&clock), streams_(&streams) {}

  // A body of JSON. Throws Refusal.
  std::string run(std::string_view operation, const Json& request, const Effects& effects);
  // What fault rules know a request by: the table's name; of BatchGetItem, the first one's.
  static std::string name_of(std::string_view operation, const Json& request);

  // By name or ARN; throws Refusal.
  Table& find(std::string_view name);
  Table& add(std::unique_ptr<Table> table);
  void clear() { tables_.clear(); }

  // Gives the table a new stream; `shards` open ones that are written. Returns its ARN.
  std::string enable_stream(Table& table, View view, std::uint64_t shards);
  std::string new_stream_arn(const Table& table) const;

  // One write, as the API and control do it.
  struct Write {
    Item key;
    std::optional<Item> item;     // nothing: the item goes
    bool record = true;           // whether the stream gets to know
    bool expired = false;         // TTL did it
    std::string shard;            // "" = the open one of that key
    std::string sequence;         // "" = the next one
    std::int64_t created_ms = 0;  // 0 = now
  };
  // Returns what was there before. Throws Refusal.
  std::optional<Item> write(Table& table, Write write);

 private:
  std::string create(const Json& request);
  std::string describe(const Table& table) const;
  std::string put(const Json& request, const Effects& effects);
  std::string remove(const Json& request, const Effects& effects);
  std::string write_if(Table& table, const Json& request, Write write, const Effects& effects);
  std::string get(const Json& request);
  std::string batch_get(const Json& request, const Effects& effects);
  std::string scan(const Json& request);

  const Clock* clock_;
  StreamsApi* streams_;
  std::map<std::string, std::unique_ptr<Table>, std::less<>> tables_;
};

}  // namespace scripted
