#include "expression/messages.h"

#include <utility>

namespace pawl::expression {

std::string_view name_of(ExpressionKind kind) {
  switch (kind) {
    case ExpressionKind::kCondition:
      return "ConditionExpression";
    case ExpressionKind::kFilter:
      return "FilterExpression";
    case ExpressionKind::kKeyCondition:
      return "KeyConditionExpression";
    case ExpressionKind::kUpdate:
      return "UpdateExpression";
    case ExpressionKind::kProjection:
      return "ProjectionExpression";
  }
  return "Expression";
}

Error invalid(ExpressionKind kind, std::string_view message) {
  std::string text = "Invalid ";
  text += name_of(kind);
  text += ": ";
  text += message;
  return invalid_request(std::move(text));
}

Error invalid_request(std::string message) {
  return Error{ErrorCode::kInvalid, std::move(message), {}};
}

Error incorrect_type(ExpressionKind kind, std::string_view operation, std::string_view type) {
  std::string text = "Incorrect operand type for operator or function; operator or function: ";
  text += operation;
  text += ", operand type: ";
  text += type;
  return invalid(kind, text);
}

}  // namespace pawl::expression
