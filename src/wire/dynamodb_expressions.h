// The expression parameters of a request: which may stand together, and their placeholders.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "expression/expression.h"
#include "item/key.h"
#include "wire/dynamodb_members.h"

namespace pawl::wire {

// The expressions of one request (or of one action of a transaction), opened before any is parsed.
class RequestExpressions {
 public:
  struct Allowed {
    std::vector<std::string_view> expressions;  // "ConditionExpression", …
    std::vector<std::string_view> legacy;       // "Expected", …: what they replaced
    std::string_view without_values;  // "ConditionExpression is null", for values without any
  };

  // Errors: legacy parameters, alone or mixed with expressions; placeholders without expressions; malformed
  // placeholders.
  static ServiceResult<RequestExpressions> open(const Members& members, const Allowed& allowed);

  ServiceResult<std::optional<expression::Condition>> condition();
  // A Query's filter may not read key attributes: those of `schema`. A Scan's may.
  ServiceResult<std::optional<expression::Condition>> filter(const item::KeySchema* schema);
  ServiceResult<std::optional<expression::Update>> update();
  ServiceResult<std::optional<expression::Projection>> projection();
  ServiceResult<expression::KeyCondition> key_condition(const item::KeySchema& schema);

  // After all are parsed: every placeholder that was given must have been used.
  ServiceStatus finish();

 private:
  explicit RequestExpressions(const Members& members) : members_(&members) {}
  ServiceStatus open_placeholders(const Allowed& allowed, bool any_expression);

  const Members* members_;
  expression::Placeholders placeholders_;
};

// An update may not write key attributes: the message if it does.
std::optional<std::string> key_attribute_updated(const expression::Update& update,
                                                 const item::KeySchema& schema);

}  // namespace pawl::wire
