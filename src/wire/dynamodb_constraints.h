// The constraints of the service model that are checked before anything else: all of a request at once, in
// one message ("2 validation errors detected: Value … at '…' failed to satisfy constraint: …; Value …").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/dynamodb_members.h"

namespace pawl::wire {

enum class ReturnValues : std::uint8_t { kNone, kAllOld, kUpdatedOld, kAllNew, kUpdatedNew };
enum class CapacityDetail : std::uint8_t { kNone, kTotal, kIndexes };

inline constexpr std::size_t kTableNameMin = 3;
inline constexpr std::size_t kTableNameMax = 255;

// "arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME" -> NAME; anything else as it is. The service takes a table's ARN
// wherever it takes its name; region and account are nobody's here, so they are not compared.
std::string_view without_arn(std::string_view name);

// Reads members and notes what is wrong with their values. A wrong JSON type ends it: finish() gives that.
class Constraints {
 public:
  // `path` goes before each member's name in messages, such as "transactItems.1.member.put.".
  explicit Constraints(const Members& members, std::string path = {})
      : members_(members), path_(std::move(path)) {}

  // "TableName": the name, of a table or out of its ARN.
  std::string_view table_name(std::string_view member = "TableName");
  void check_table_name(std::string_view name, std::string_view label);
  void required(std::string_view member);
  ReturnValues return_values();
  // ReturnValuesOnConditionCheckFailure: whether ALL_OLD.
  bool old_on_failure();
  // ReturnConsumedCapacity; ReturnItemCollectionMetrics is checked by item_collection_metrics().
  CapacityDetail consumed_capacity();
  void item_collection_metrics();
  std::optional<std::int64_t> integer(std::string_view member, std::int64_t low, std::int64_t high);
  // The index of the member's value in `choices`; nothing if it is absent or wrong.
  template <std::size_t Count>
  std::optional<std::size_t> choice(std::string_view member,
                                    const std::array<std::string_view, Count>& choices) {
    return choose(member, choices.data(), Count);
  }

  // A text of `shortest` to `longest` bytes; empty if it is absent or wrong.
  std::string_view text(std::string_view member, std::size_t shortest, std::size_t longest);

  void violate(std::string_view member, std::string_view value_text, std::string_view constraint);
  ServiceStatus finish();

 private:
  std::optional<std::size_t> choose(std::string_view member, const std::string_view* choices,
                                    std::size_t count);

  const Members& members_;
  std::string path_;
  std::string violations_;
  std::size_t count_ = 0;
  std::optional<ServiceError> type_error_;
};

}  // namespace pawl::wire
