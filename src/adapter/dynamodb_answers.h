// What DynamoDB's answers say, as the ports have it: pure functions of the JSON text (API reference, "Amazon DynamoDB" and
// "Amazon DynamoDB Streams"). Images, items and keys are given on as the bytes that came.
//
// An answer that is not of the shape that the reference gives it is refused as a whole, with kCorrupt: wrong types, numbers
// and texts beyond their ranges, missing members, JSON that is invalid anywhere, more than 16 MiB or 128 levels of it.
// Members that are unknown, or null, count as absent.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapter/remote_retry.h"
#include "adapter/service_words.h"
#include "base/result.h"
#include "port/lease_store.h"
#include "port/source_table.h"
#include "port/table_stream.h"

namespace pawl {

// Code ("ResourceNotFoundException", without what stands before '#') and message of a refusal; nothing where it has none.
ServiceWords parse_refusal(std::string_view json);
// How an attempt ended that was answered so. What a 5xx is about may have been carried out.
AttemptEnd classify_dynamodb_answer(unsigned status, const ServiceWords& words);
// Too many requests, or readers, for now.
bool is_throttle(std::string_view code);
// Who asks may not, or is nobody that the service knows.
bool is_denial(std::string_view code);

// DescribeTable.
struct DescribedTable {
  SourceTableFacts facts;
  std::string status;  // "ACTIVE", "CREATING", …
};
Result<DescribedTable> parse_described_table(std::string_view json);

// "KEYS_ONLY", …; nothing for another word.
std::optional<StreamView> parse_stream_view(std::string_view text);

// DescribeStream, GetShardIterator, GetRecords.
inline constexpr std::size_t kStreamShardsMax = 100;
Result<StreamShardPage> parse_shard_page(std::string_view json);
Result<std::string> parse_shard_iterator(std::string_view json);
Result<StreamRecordPage> parse_record_page(std::string_view json);

// GetItem, Scan.
Result<std::optional<std::string>> parse_item_answer(std::string_view json);
Result<SourceItems> parse_scan_answer(std::string_view json);

// BatchGetItem of one table.
inline constexpr std::size_t kBatchKeysMax = 100;
struct BatchAnswer {
  std::vector<std::string> items;             // in any order; none for what is not there
  std::vector<std::string> unprocessed_keys;  // to be asked for again
};
Result<BatchAnswer> parse_batch_answer(std::string_view json, std::string_view table);

// GetItem and Scan of the table that leases are kept in: the attributes are named here (dynamodb_lease_store.h).
inline constexpr std::string_view kLeaseName = "name";
inline constexpr std::string_view kLeaseRevision = "revision";
inline constexpr std::string_view kLeaseValue = "value";
struct LeasePage {
  std::vector<LeaseRow> rows;
  std::string next;  // the key that the next page starts after; "" = the end
};
Result<std::optional<LeaseRow>> parse_lease_answer(std::string_view json);
Result<LeasePage> parse_lease_page(std::string_view json);

}  // namespace pawl
