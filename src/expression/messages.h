// The words of the service about expressions. Every error of this folder is kInvalid; most carry
// the name of the parameter that the text came in.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pawl::expression {

enum class ExpressionKind { kCondition, kFilter, kKeyCondition, kUpdate, kProjection };

// "ConditionExpression", "FilterExpression", …
std::string_view name_of(ExpressionKind kind);

// "Invalid ConditionExpression: " and the message.
Error invalid(ExpressionKind kind, std::string_view message);
// The message alone, for the few errors that the service gives without naming the parameter.
Error invalid_request(std::string message);

// "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"
Error incorrect_type(ExpressionKind kind, std::string_view operation, std::string_view type);

}  // namespace pawl::expression
