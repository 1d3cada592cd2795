// The parameters of one SQS request, whichever of the two protocols they came in: AWS JSON 1.0, or the older query form
// (sqs_query_form.h). Operations read them here and do not know which it was.
//
// The two name lists and maps differently: JSON has {"Entries": [...]} and {"Attributes": {"k": "v"}} where the form has
// SendMessageBatchRequestEntry.1.Id=... and Attribute.1.Name=k&Attribute.1.Value=v. So these are asked for by both names.
// Shapes and names: the service model (botocore's sqs/2012-11-05).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/sqs_error.h"

namespace pawl::wire {

enum class SqsProtocol : std::uint8_t { kJson, kQuery };

struct SqsMember;

struct SqsValue {
  enum class Kind : std::uint8_t { kText, kNumber, kBoolean, kList, kMembers };
  Kind kind = Kind::kMembers;
  std::string text;             // of text, numbers and booleans
  std::vector<SqsValue> items;  // of a list (JSON only)
  std::vector<SqsMember> members;

  const SqsValue* find(std::string_view name) const;
};

struct SqsMember {
  std::string name;
  SqsValue value;
};

// What a request is bounded by, before any of it costs more: values, and how deep they nest.
inline constexpr std::size_t kSqsValuesMax = 4'000;
inline constexpr std::size_t kSqsDepthMax = 8;

// Parses a JSON body; an empty one is {}. `body` is followed by kBodyPadding bytes. Errors: SerializationException.
SqsResult<SqsValue> parse_sqs_json(std::string_view body);

// Some part of a request. The value must outlive it.
class SqsInput {
 public:
  SqsInput(const SqsValue& value, SqsProtocol protocol) : value_(&value), protocol_(protocol) {}

  // Nothing if absent. Errors: SerializationException where JSON has another type.
  SqsResult<std::optional<std::string_view>> text(std::string_view name) const;
  SqsResult<std::optional<std::int64_t>> integer(std::string_view name) const;
  bool has(std::string_view name) const { return value_->find(name) != nullptr; }

  // A list's parts, in order.
  SqsResult<std::vector<SqsInput>> list(std::string_view json_name,
                                        std::string_view query_name) const;
  // A list of texts.
  SqsResult<std::vector<std::string>> texts(std::string_view json_name,
                                            std::string_view query_name) const;
  // A map's entries. Errors: a name that comes twice, or an entry without one.
  using Entry = std::pair<std::string, SqsInput>;
  SqsResult<std::vector<Entry>> map(std::string_view json_name, std::string_view query_name,
                                    std::string_view query_key = "Name") const;
  // The text of a map's entry.
  SqsResult<std::string_view> as_text() const;

 private:
  const SqsValue* value_;
  SqsProtocol protocol_;
};

}  // namespace pawl::wire
