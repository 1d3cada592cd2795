#include "adapter/dynamodb_answers.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "adapter/json_answer.h"

namespace pawl {
namespace {

constexpr std::size_t kNameMax = 255;       // of tables and of key attributes
constexpr std::size_t kArnMax = 2048;       // and of other words of the service
constexpr std::size_t kReplicasMax = 64;    // more than there are regions
constexpr std::size_t kItemsMax = 1 << 20;  // of a page: 1 MB, and an item has more than a byte

bool is_one_of(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

}  // namespace

ServiceWords parse_refusal(std::string_view json) {
  std::string code;
  std::string message;
  const bool read = walk_json(json, [&](JsonObject top) {
    return each_member(top, [&](std::string_view name, JsonValue value) {
      if (name == "__type") return read_text(value, kArnMax, code);
      if (name == "message" || name == "Message")
        return read_text(value, kJsonAnswerBytesMax, message);
      return true;
    });
  });
  if (!read) return {};
  const auto hash = code.rfind('#');
  return ServiceWords::of(
      hash == std::string::npos ? code : std::string_view(code).substr(hash + 1), message);
}

bool is_throttle(std::string_view code) {
  return is_one_of(code, {"ProvisionedThroughputExceededException", "ThrottlingException",
                          "RequestLimitExceeded", "LimitExceededException", "Throttling",
                          "ThrottledException", "TooManyRequestsException"});
}

bool is_denial(std::string_view code) {
  return is_one_of(
      code, {"AccessDeniedException", "AccessDenied", "UnrecognizedClientException",
             "InvalidClientTokenId", "InvalidSignatureException", "IncompleteSignatureException",
             "IncompleteSignature", "MissingAuthenticationTokenException",
             "MissingAuthenticationToken", "ExpiredTokenException", "ExpiredToken", "OptInRequired",
             "NotAuthorized", "RequestExpired", "RequestTimeTooSkewed"});
}

AttemptEnd classify_dynamodb_answer(unsigned status, const ServiceWords& words) {
  if (status >= 200 && status < 300) return AttemptEnd::kDone;
  const bool off = words.message.find("Signature expired") != std::string::npos ||
                   words.message.find("Signature not yet current") != std::string::npos;
  if (is_one_of(words.code, {"RequestTimeTooSkewed", "RequestExpired"}) ||
      (words.code == "InvalidSignatureException" && off))
    return AttemptEnd::kSkewed;
  if (is_one_of(words.code, {"ExpiredTokenException", "ExpiredToken"})) return AttemptEnd::kExpired;
  if (is_throttle(words.code) || status == 429) return AttemptEnd::kSlowDown;
  if (status >= 500) return AttemptEnd::kUnknown;
  // Somebody else is writing the same item at this moment.
  if (status == 408 ||
      is_one_of(words.code, {"TransactionConflictException", "ReplicatedWriteConflictException"}))
    return AttemptEnd::kNotDone;
  return AttemptEnd::kRejected;
}

namespace {

struct KeyElement {
  std::string name;
  std::string type;  // of AttributeDefinitions, "S"; or of KeySchema, "HASH"
};

// An element of AttributeDefinitions or KeySchema.
bool read_key_element(JsonValue value, KeyElement& out) {
  return each_member(value, [&](std::string_view name, JsonValue member) {
    if (name == "AttributeName") return read_text(member, kNameMax, out.name);
    if (name == "AttributeType" || name == "KeyType") return read_text(member, 16, out.type);
    return true;
  });
}

bool read_key_elements(JsonValue value, std::size_t count_max, std::vector<KeyElement>& out) {
  return each_element(value, count_max, [&](JsonValue element) {
    KeyElement found;
    if (!read_key_element(element, found) || found.name.empty()) return false;
    out.push_back(std::move(found));
    return true;
  });
}

bool read_view(JsonValue value, StreamView& out) {
  std::string text;
  if (!read_text(value, 64, text)) return false;
  const auto view = parse_stream_view(text);
  if (view) out = *view;
  return view.has_value();
}

bool read_replicas(JsonValue value, std::vector<std::string>& out) {
  return each_element(value, kReplicasMax, [&out](JsonValue replica) {
    std::string region;
    const bool read = each_member(replica, [&region](std::string_view name, JsonValue member) {
      return name != "RegionName" || read_text(member, kNameMax, region);
    });
    if (!read || region.empty()) return false;
    out.push_back(std::move(region));
    return true;
  });
}

// What a description says, in the order in which it says it.
class TableReader {
 public:
  bool read(std::string_view name, JsonValue value) {
    auto& facts = table_.facts;
    if (name == "TableName") return read_text(value, kNameMax, facts.name);
    if (name == "TableArn") return read_text(value, kArnMax, facts.arn);
    if (name == "TableId") return read_text(value, kArnMax, facts.id);
    if (name == "TableStatus") return read_text(value, 64, table_.status);
    if (name == "CreationDateTime") return read_seconds(value, facts.created);
    if (name == "ItemCount") return read_count(value, facts.item_count);
    if (name == "TableSizeBytes") return read_count(value, facts.bytes);
    if (name == "KeySchema") return read_key_elements(value, 2, schema_);
    if (name == "AttributeDefinitions") return read_key_elements(value, kNameMax, types_);
    if (name == "LatestStreamArn") return read_text(value, kArnMax, stream_.arn);
    if (name == "Replicas") return read_replicas(value, facts.replicas);
    if (name != "StreamSpecification") return true;
    return each_member(value, [this](std::string_view member, JsonValue inner) {
      if (member == "StreamEnabled") return read_flag(inner, stream_.enabled);
      if (member == "StreamViewType") return read_view(inner, stream_.view);
      return true;
    });
  }

  std::optional<DescribedTable> finish() {
    auto& facts = table_.facts;
    if (facts.name.empty() || facts.arn.empty() || table_.status.empty()) return std::nullopt;
    if (!stream_.arn.empty()) facts.stream = stream_;
    bool partition = false;
    for (const auto& element : schema_) {
      SourceKey key{element.name, type_of(element.name)};
      if (key.type == '\0') return std::nullopt;
      if (element.type == "HASH" && !partition) {
        facts.partition = std::move(key);
        partition = true;
      } else if (element.type == "RANGE" && !facts.sort) {
        facts.sort = std::move(key);
      } else {
        return std::nullopt;
      }
    }
    if (!partition) return std::nullopt;
    return std::move(table_);
  }

 private:
  char type_of(std::string_view name) const {
    for (const auto& known : types_) {
      if (known.name != name) continue;
      const bool legal = is_one_of(known.type, {"S", "N", "B"});
      return legal ? known.type[0] : '\0';
    }
    return '\0';
  }

  DescribedTable table_;
  StreamFacts stream_;
  std::vector<KeyElement> schema_;
  std::vector<KeyElement> types_;
};

}  // namespace

Result<DescribedTable> parse_described_table(std::string_view json) {
  TableReader reader;
  const bool read = walk_json(json, [&](JsonObject top) {
    return each_member(top, [&](std::string_view name, JsonValue value) {
      if (name != "Table") return true;
      return each_member(value, [&](std::string_view member, JsonValue inner) {
        return reader.read(member, inner);
      });
    });
  });
  auto table = reader.finish();
  if (!read || !table) return misshapen_answer("a table's description");
  return *std::move(table);
}

Result<std::optional<std::string>> parse_item_answer(std::string_view json) {
  std::optional<std::string> item;
  const bool read = walk_json(json, [&](JsonObject top) {
    return each_member(top, [&](std::string_view name, JsonValue value) {
      return name != "Item" || read_object_bytes(value, item.emplace());
    });
  });
  if (!read) return misshapen_answer("an item");
  return item;
}

namespace {

bool read_objects(JsonValue value, std::size_t count_max, std::vector<std::string>& out) {
  return each_element(value, count_max, [&](JsonValue element) {
    return read_object_bytes(element, out.emplace_back());
  });
}

// A page of a Scan: where the next starts goes to `next`, the list of items to `read_items`. False: it is no such page.
template <typename ReadItems>
bool read_scan_page(std::string_view json, std::string& next, const ReadItems& read_items) {
  bool items = false;
  const bool read = walk_json(json, [&](JsonObject top) {
    return each_member(top, [&](std::string_view name, JsonValue value) {
      if (name == "LastEvaluatedKey") return read_object_bytes(value, next);
      if (name != "Items") return true;
      items = true;
      return read_items(value);
    });
  });
  return read && items;
}

}  // namespace

Result<SourceItems> parse_scan_answer(std::string_view json) {
  SourceItems page;
  const bool read = read_scan_page(
      json, page.next, [&](JsonValue value) { return read_objects(value, kItemsMax, page.items); });
  if (!read) return misshapen_answer("a page of items");
  return page;
}

Result<BatchAnswer> parse_batch_answer(std::string_view json, std::string_view table) {
  BatchAnswer answer;
  bool responses = false;
  // {"TABLE": what}
  const auto of_table = [table](JsonValue value, const auto& visit) {
    return each_member(value, [&](std::string_view name, JsonValue inner) {
      return name == table && visit(inner);  // another table was not asked for
    });
  };
  const bool read = walk_json(json, [&](JsonObject top) {
    return each_member(top, [&](std::string_view name, JsonValue value) {
      if (name == "Responses") {
        responses = true;
        return of_table(value, [&](JsonValue inner) {
          return read_objects(inner, kBatchKeysMax, answer.items);
        });
      }
      if (name != "UnprocessedKeys") return true;
      return of_table(value, [&](JsonValue inner) {
        return each_member(inner, [&](std::string_view member, JsonValue keys) {
          return member != "Keys" || read_objects(keys, kBatchKeysMax, answer.unprocessed_keys);
        });
      });
    });
  });
  if (!read || !responses) return misshapen_answer("a batch of items");
  return answer;
}

namespace {

// {"S": "…"} or {"N": "…"}, whichever `type` is.
bool read_attribute(JsonValue value, std::string_view type, std::size_t size_max,
                    std::string& out) {
  bool found = false;
  return each_member(value,
                     [&](std::string_view name, JsonValue text) {
                       found = name == type;
                       return found && read_text(text, size_max, out);
                     }) &&
         found;
}

bool read_lease(JsonValue value, LeaseRow& row) {
  bool valued = false;
  std::string digits;
  const bool read = each_member(value, [&](std::string_view name, JsonValue member) {
    if (name == kLeaseName) return read_attribute(member, "S", kLeaseNameMax, row.name);
    if (name == kLeaseRevision) return read_attribute(member, "N", 20, digits);
    if (name != kLeaseValue) return true;
    valued = true;
    return read_attribute(member, "S", kLeaseValueMax, row.value);
  });
  if (!read || !valued || row.name.empty()) return false;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, row.revision);
  return parsed.ec == std::errc() && parsed.ptr == end && row.revision != 0;
}

}  // namespace

Result<std::optional<LeaseRow>> parse_lease_answer(std::string_view json) {
  std::optional<LeaseRow> row;
  const bool read = walk_json(json, [&](JsonObject top) {
    return each_member(top, [&](std::string_view name, JsonValue value) {
      return name != "Item" || read_lease(value, row.emplace());
    });
  });
  if (!read) return misshapen_answer("a lease");
  return row;
}

Result<LeasePage> parse_lease_page(std::string_view json) {
  LeasePage page;
  const bool read = read_scan_page(json, page.next, [&](JsonValue value) {
    return each_element(value, kItemsMax, [&](JsonValue element) {
      return read_lease(element, page.rows.emplace_back());
    });
  });
  if (!read) return misshapen_answer("a page of leases");
  return page;
}

}  // namespace pawl
