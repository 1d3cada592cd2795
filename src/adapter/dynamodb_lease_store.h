// Leases as items of a table of their own, written under conditions: partition key `name` (S), attributes `revision` (N) and
// `value` (S). Made PAY_PER_REQUEST, without a sort key, a stream or an index.
//
// An attempt whose answer was lost is repeated, and then meets its own write: the refused condition is followed by a
// consistent read. A put finds its revision and value and says kDone (so values must tell their writers apart), finds that
// revision with another value and says kConflict, or anything else and says kUnknown: its write may have been there and
// gone. An erase finds no row and says kDone, whoever erased it.
#pragma once

#include "adapter/dynamodb_client.h"
#include "port/lease_store.h"

namespace pawl {

// For a client that leases are kept by: a beat that hangs is repeated while its worker still trusts itself.
SignedClientOptions lease_client_options();

// The client must outlive it. What is longer than port/lease_store.h allows is kNotDone, and sent nowhere.
class DynamoDbLeaseStore final : public LeaseStore {
 public:
  static constexpr std::size_t kRowsMax = 100'000;  // of a list: more is kUnavailable
  // How long create_if_absent() waits for a table that is being made.
  static constexpr Duration kTableWait = std::chrono::minutes(2);
  static constexpr Duration kTableTurn = std::chrono::milliseconds(500);

  DynamoDbLeaseStore(DynamoDbClient& client, std::string table)
      : client_(client), table_(std::move(table)) {}

  Awaitable<Status> create_if_absent() override;
  Awaitable<Result<std::vector<LeaseRow>>> list(std::string prefix) override;
  Awaitable<Result<std::optional<LeaseRow>>> get(std::string name) override;
  Awaitable<LeaseResult> put(std::string name, std::uint64_t expected, std::string value) override;
  Awaitable<LeaseResult> erase(std::string name, std::uint64_t expected) override;

 private:
  std::string attempted(std::string_view what) const;
  Awaitable<Result<bool>> is_ready();
  Awaitable<Status> create();
  Awaitable<DynamoDbAnswer> write(std::string body, const char* operation);

  DynamoDbClient& client_;
  std::string table_;
};

}  // namespace pawl
