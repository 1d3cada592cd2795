// From the syntax tree of an update to Update::Clauses: everything that can be wrong with an update
// before there is an item. The service looks at actions from the last to the first, and at all
// paths before any value; so does this, because it decides which of several faults is named.
#include <array>
#include <string>
#include <utility>

#include "expression/name_check.h"
#include "expression/resolver.h"
#include "expression/update_clauses.h"

namespace pawl::expression {
namespace {

constexpr ExpressionKind kKind = ExpressionKind::kUpdate;

// How these two messages of the service name types, unlike all its others.
std::string_view long_name_of(item::Type type) {
  switch (type) {
    case item::Type::kString:
      return "STRING";
    case item::Type::kNumber:
      return "NUMBER";
    case item::Type::kBinary:
      return "BINARY";
    case item::Type::kBoolean:
      return "BOOLEAN";
    case item::Type::kNull:
      return "NULL";
    case item::Type::kStringSet:
      return "STRING_SET";
    case item::Type::kNumberSet:
      return "NUMBER_SET";
    case item::Type::kBinarySet:
      return "BINARY_SET";
    case item::Type::kList:
      return "LIST";
    case item::Type::kMap:
      return "MAP";
  }
  return "NULL";
}

bool is_set(item::Type type) {
  return type == item::Type::kStringSet || type == item::Type::kNumberSet ||
         type == item::Type::kBinarySet;
}

class Builder {
 public:
  explicit Builder(Resolver& resolver) : resolver_(resolver) {}

  Result<UpdateValue> value(const ParsedAction& action) {
    PAWL_ASSIGN_OR_RETURN(UpdateValue built, value(action.value));
    if (action.clause == Clause::kSet) return built;
    const item::Type type = built.value->type();
    const bool allowed =
        is_set(type) || (action.clause == Clause::kAdd && type == item::Type::kNumber);
    if (allowed) return built;
    const std::string name(name_of(action.clause));
    return invalid(kKind, "Incorrect operand type for operator or function; operator: " + name +
                              ", operand type: " + std::string(long_name_of(type)) +
                              ", typeSet: ALLOWED_FOR_" + name + "_OPERAND");
  }

 private:
  // Nesting is bounded by kNestingMax.
  Result<UpdateValue> value(NodeId id) {
    const SyntaxNode& node = resolver_.tree().at(id);
    UpdateValue built;
    switch (node.kind) {
      case NodeKind::kPath: {
        built.kind = UpdateValue::Kind::kPath;
        PAWL_ASSIGN_OR_RETURN(built.path, resolver_.path(id));
        return built;
      }
      case NodeKind::kValue: {
        built.kind = UpdateValue::Kind::kValue;
        PAWL_ASSIGN_OR_RETURN(built.value, resolver_.value(id));
        return built;
      }
      case NodeKind::kFunction:
        return function(id);
      default:
        break;
    }
    const bool plus = node.kind == NodeKind::kPlus;
    built.kind = plus ? UpdateValue::Kind::kPlus : UpdateValue::Kind::kMinus;
    PAWL_TRY(operands(id, built));
    PAWL_TRY(check_given(built, plus ? "+" : "-", item::Type::kNumber));
    return built;
  }

  Result<UpdateValue> function(NodeId id) {
    const std::string_view name = resolver_.tree().at(id).text;
    const bool append = function_named(name) == Function::kListAppend;
    UpdateValue built;
    built.kind = append ? UpdateValue::Kind::kListAppend : UpdateValue::Kind::kIfNotExists;
    PAWL_TRY(operands(id, built));
    PAWL_TRY(resolver_.check_operand_count(id, 2));
    if (append) {
      PAWL_TRY(check_given(built, name, item::Type::kList));
      return built;
    }
    if (built.operands.front().kind != UpdateValue::Kind::kPath) {
      return invalid(kKind,
                     "Operator or function requires a document path; operator or function: " +
                         std::string(name));
    }
    const UpdateValue& alternative = built.operands.back();
    if (alternative.kind == UpdateValue::Kind::kPath &&
        alternative.path == built.operands.front().path) {
      return first_not_distinct(kKind, name, alternative.path);
    }
    built.path = std::move(built.operands.front().path);
    built.operands.erase(built.operands.begin());
    return built;
  }

  Status operands(NodeId id, UpdateValue& built) {
    const SyntaxTree& tree = resolver_.tree();
    for (NodeId child = tree.at(id).first_child; child != kNoNode; child = tree.at(child).next) {
      PAWL_ASSIGN_OR_RETURN(UpdateValue operand, value(child));
      built.operands.push_back(std::move(operand));
    }
    return resolver_.count_operator();
  }

  // Values that come with the request show their type at once; attributes only with the item.
  static Status check_given(const UpdateValue& built, std::string_view name, item::Type wanted) {
    for (const UpdateValue& operand : built.operands) {
      if (operand.kind == UpdateValue::Kind::kValue && operand.value->type() != wanted) {
        return incorrect_type(kKind, name, item::name_of(operand.value->type()));
      }
    }
    return ok();
  }

  Resolver& resolver_;
};

void collect_nested(const UpdateValue& value, AttributeNames& names) {
  if (value.path.elements.size() > 1) names.insert(value.path.attribute());
  for (const UpdateValue& operand : value.operands) collect_nested(operand, names);
}

Status check_sections(const std::vector<ParsedAction>& actions) {
  std::array<std::uint32_t, 4> section_of{};
  for (const ParsedAction& action : actions) {
    std::uint32_t& known = section_of[static_cast<std::size_t>(action.clause)];
    if (known != 0 && known != action.section) {
      return invalid(kKind, "The \"" + std::string(name_of(action.clause)) +
                                "\" section can only be used once in an update expression;");
    }
    known = action.section;
  }
  return ok();
}

}  // namespace

Result<Update> Update::parse(std::string_view text, Placeholders& placeholders) {
  UpdateParser parser(text);
  const std::vector<ParsedAction> parsed = parser.parse();
  PAWL_TRY(parser.status());
  for (const ParsedAction& action : parsed) {
    PAWL_TRY(check_names(kKind, parser.tree(), action.path, Position::kSetOperand));
    if (action.value == kNoNode) continue;
    PAWL_TRY(check_names(kKind, parser.tree(), action.value, Position::kSetValue));
  }
  PAWL_TRY(check_sections(parsed));

  Resolver resolver(kKind, parser.tree(), placeholders);
  auto clauses = std::make_shared<Clauses>();
  clauses->actions.resize(parsed.size());
  Update update;
  for (std::size_t i = parsed.size(); i-- > 0;) {
    UpdateAction& action = clauses->actions[i];
    action.clause = parsed[i].clause;
    PAWL_ASSIGN_OR_RETURN(action.path, resolver.path(parsed[i].path));
    PAWL_TRY(clauses->paths.insert(kKind, &action.path));
    update.attributes_.insert(action.path.attribute());
  }
  Builder builder(resolver);
  for (std::size_t i = parsed.size(); i-- > 0;) {
    if (parsed[i].clause == Clause::kRemove) continue;
    PAWL_ASSIGN_OR_RETURN(clauses->actions[i].value, builder.value(parsed[i]));
    collect_nested(clauses->actions[i].value, update.nested_attributes_);
  }
  update.clauses_ = std::move(clauses);
  return update;
}

}  // namespace pawl::expression
