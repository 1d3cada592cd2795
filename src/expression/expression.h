// The expression language of DynamoDB: parse once, evaluate purely.
//
// The five kinds (condition, filter, key condition, update, projection) share one lexer and one set
// of placeholders. Parsing is bounded before it costs: 4,096 bytes of text, 300 operators and
// functions, a nesting depth that never depends on the input alone (Amazon DynamoDB developer
// guide, "Quotas"). Every error is kInvalid and carries the message that the service would give,
// without its prefix "Invalid FilterExpression: " and the like where that depends on the
// parameter's name: see kind_name.
//
// Everything here is immutable after parsing; evaluation is const, pure, and safe from any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "item/key.h"
#include "item/value.h"

namespace pawl::expression {

inline constexpr std::size_t kExpressionSizeMax = 4096;  // bytes of one expression
inline constexpr std::size_t kOperatorsMax = 300;  // operators and functions of one expression
inline constexpr std::size_t kPlaceholderBytesMax =
    2 * 1024 * 1024;  // all names and values of a request

// ExpressionAttributeNames and ExpressionAttributeValues of one request, and which of them were
// used: the service refuses a request that gives one that no expression uses.
class Placeholders {
 public:
  Placeholders() = default;
  // `names`: "#n" -> attribute name. `values`: ":v" -> value. Errors: kInvalid for malformed
  // placeholders.
  static Result<Placeholders> make(std::map<std::string, std::string, std::less<>> names,
                                   std::map<std::string, item::Value, std::less<>> values);

  const std::string* use_name(std::string_view placeholder);
  // Shared, so that parsed expressions keep their operands alive without copying them.
  std::shared_ptr<const item::Value> use_value(std::string_view placeholder);
  // After all expressions of the request are parsed. Errors: kInvalid naming the unused ones.
  Status check_all_used() const;

 private:
  struct Name {
    std::string key;  // "#n"
    std::string name;
    bool used = false;
  };
  struct GivenValue {
    std::string key;  // ":v"
    std::shared_ptr<const item::Value> value;
    bool used = false;
  };
  std::vector<Name> names_;  // both by key
  std::vector<GivenValue> values_;
};

using AttributeNames = std::set<std::string, std::less<>>;

// A condition or a filter.
class Condition {
 public:
  enum class Kind { kCondition, kFilter };
  // The message of an error already starts with "Invalid ConditionExpression: " or the like.
  static Result<Condition> parse(std::string_view text, Kind kind, Placeholders& placeholders);

  // Whether it holds. An item that does not exist is an empty item. Errors: kInvalid where an
  // operand's type makes the request itself invalid.
  Result<bool> holds(const item::Item& item) const;
  // The top-level attribute names that it reads: a filter may not read key attributes.
  const AttributeNames& attributes() const;
  // Of those, the ones that it reads only a part of ("a.b", "a[0]"): see check_scalar_keys.
  const AttributeNames& nested_attributes() const { return nested_attributes_; }

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
  AttributeNames attributes_;
  AttributeNames nested_attributes_;
};

// SET, REMOVE, ADD and DELETE clauses.
class Update {
 public:
  static Result<Update> parse(std::string_view text, Placeholders& placeholders);

  // The top-level attributes that it writes: it may not write key attributes.
  const AttributeNames& attributes() const;
  // The top-level attributes of which its right-hand sides read only a part: see check_scalar_keys.
  const AttributeNames& nested_attributes() const { return nested_attributes_; }

  // What became of the item, for ReturnValues UPDATED_OLD and UPDATED_NEW.
  struct Applied {
    item::Item item;         // after the update
    item::Item updated_old;  // the updated paths as they were
    item::Item updated_new;  // the updated paths as they are
  };
  // All right-hand sides see the item as it was. Errors: kInvalid ("The document path provided in
  // the update expression is invalid for update", wrong operand types, number overflow, nesting too
  // deep).
  Result<Applied> apply(const item::Item& before) const;

  struct Clauses;

 private:
  std::shared_ptr<const Clauses> clauses_;
  AttributeNames attributes_;
  AttributeNames nested_attributes_;
};

// Paths of attributes to return.
class Projection {
 public:
  static Result<Projection> parse(std::string_view text, Placeholders& placeholders);
  item::Item project(const item::Item& item) const;
  const AttributeNames& attributes() const;
  // Of those, the ones that it reads only a part of ("a.b", "a[0]"): see check_scalar_keys.
  const AttributeNames& nested_attributes() const { return nested_attributes_; }

  struct Paths;

 private:
  std::shared_ptr<const Paths> paths_;
  AttributeNames attributes_;
  AttributeNames nested_attributes_;
};

// partition = value [AND a condition on the sort key].
class KeyCondition {
 public:
  // Errors: kInvalid with the service's messages ("Query condition missed key schema element: …",
  // …).
  static Result<KeyCondition> parse(std::string_view text, const item::KeySchema& schema,
                                    Placeholders& placeholders);

  enum class SortOperator {
    kNone,
    kEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kBetween,
    kBeginsWith
  };
  struct SortCondition {
    SortOperator op = SortOperator::kNone;
    item::Value low;   // the operand, or the lower bound of BETWEEN, or the prefix
    item::Value high;  // the upper bound of BETWEEN
  };
  const item::Value& partition() const { return partition_; }
  const SortCondition& sort() const { return sort_; }

 private:
  item::Value partition_;
  SortCondition sort_;
};

// For conditions, updates and projections alike, once the table is known: keys are scalars, so the service refuses
// what looks inside of one. Errors: kInvalid, "Key attributes must be scalars; …".
Status check_scalar_keys(const AttributeNames& nested_attributes, const item::KeySchema& schema);

}  // namespace pawl::expression
