// Answers of DynamoDB operations as JSON text, written straight into one string.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "item/key.h"
#include "item/value.h"
#include "table/command.h"
#include "wire/dynamodb_constraints.h"
#include "wire/service_error.h"

namespace pawl::wire {

// A JSON object being written; nested objects are the caller's to balance.
class AnswerObject {
 public:
  AnswerObject() : out_("{") {}
  // Writes the name, and returns where the value goes.
  std::string& member(std::string_view name);
  void item(std::string_view name, const item::Item& item);
  void number(std::string_view name, std::uint64_t value);
  std::string finish() && {
    out_.push_back('}');
    return std::move(out_);
  }

 private:
  std::string out_;
};

// Parts of descriptions, of tables and of streams.
inline constexpr std::array<std::string_view, 4> kStreamViews{"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE",
                                                              "NEW_AND_OLD_IMAGES"};
std::string arn_of(std::string_view region, std::string_view table);
// Seconds since 1970 with three decimals, as the service writes times.
void append_seconds(std::string& out, Instant instant);
void append_key_schema(std::string& out, const item::KeySchema& schema);

// Capacity units are counted in halves, which are exact.
using HalfUnits = std::uint64_t;
// 4 KiB a read unit, at least one; half as much if eventually consistent (developer guide, "Read/write
// capacity mode").
HalfUnits read_units(std::size_t bytes, bool consistent);
// 1 KiB a write unit, at least one, of the larger of both images.
HalfUnits write_units(std::size_t bytes_before, std::size_t bytes_after);

// Whether a transaction says which kind of units it used.
enum class UnitKind : std::uint8_t { kUnsaid, kRead, kWrite };
// One ConsumedCapacity object.
void append_capacity(std::string& out, std::string_view table, HalfUnits units,
                     CapacityDetail detail, UnitKind kind = UnitKind::kUnsaid);

// A refusal in the service's terms, with the members that its exception has.
ServiceError service_error_of(const table::Failure& failure);

// What a command's render() returns: the body of a success, or a status and the body of an error, told apart
// by the first byte so that the bytes say everything.
std::string render_failure(const table::Failure& failure);
HttpResponse response_of_rendered(std::string rendered);

}  // namespace pawl::wire
