// BatchWriteItem and TransactWriteItems: several items in one command.
#include <map>
#include <set>

#include "base/digest.h"
#include "item/dynamodb_json.h"
#include "wire/dynamodb_answer.h"
#include "wire/dynamodb_call.h"
#include "wire/dynamodb_constraints.h"
#include "wire/dynamodb_expressions.h"

namespace pawl::wire {
namespace {

using table::Mutation;
using table::Outcome;

constexpr std::size_t kBatchWritesMax = 25;
constexpr std::size_t kActionsMax = 100;  // of a transaction
constexpr std::int64_t kTokenBytesMax = 36;

// ConsumedCapacity of several tables, in order of their names.
void append_capacities(AnswerObject& answer, const std::vector<std::string>& tables,
                       const Outcome& outcome, HalfUnits factor, CapacityDetail detail,
                       UnitKind kind) {
  std::map<std::string_view, HalfUnits> units;
  for (std::size_t i = 0; i < outcome.mutations.size() && i < tables.size(); ++i) {
    const table::MutationOutcome& done = outcome.mutations[i];
    units[tables[i]] += factor * write_units(done.size_before, done.size_after);
  }
  std::string& list = answer.member("ConsumedCapacity");
  char before = '[';
  for (const auto& [table, used] : units) {
    list.push_back(before);
    append_capacity(list, table, used, detail, kind);
    before = ',';
  }
  list.push_back(']');
}

std::vector<std::string> tables_of(const std::vector<Mutation>& mutations) {
  std::vector<std::string> tables;
  tables.reserve(mutations.size());
  for (const Mutation& mutation : mutations) tables.push_back(mutation.table);
  return tables;
}

// One WriteRequest of a batch.
ServiceResult<Mutation> open_batch_write(simdjson::dom::element element, const std::string& table,
                                         const item::KeySchema& schema) {
  WIRE_ASSIGN(const Members request, Members::of(element));
  WIRE_ASSIGN(const auto put, request.structure("PutRequest"));
  WIRE_ASSIGN(const auto erase, request.structure("DeleteRequest"));
  if (put.has_value() == erase.has_value()) {
    return validation(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
        "supported "
        "datatypes");
  }
  const auto* item = put ? put->find("Item") : erase->find("Key");
  if (item == nullptr) return validation("The supplied Item contains a null AttributeValue");
  Mutation mutation;
  mutation.table = table;
  mutation.kind = put ? Mutation::Kind::kPut : Mutation::Kind::kDelete;
  if (put) {
    WIRE_ASSIGN(mutation.item, parse_put_item(*item, schema));
  } else {
    WIRE_ASSIGN(mutation.item, parse_key(*item, schema));
  }
  return mutation;
}

ServiceResult<std::string> identity_of(const Mutation& mutation, const item::KeySchema& schema) {
  const auto key = item::key_of(schema, mutation.item);
  if (!key.ok()) return service_error_of(key.error());
  return mutation.table + '\0' + item::encode_key(schema, key.value());
}

}  // namespace

ServiceResult<table::Command> batch_write_item(DynamoDbCall& call) {
  Constraints constraints(call.members);
  constraints.required("RequestItems");
  const CapacityDetail capacity = constraints.consumed_capacity();
  constraints.item_collection_metrics();
  WIRE_TRY(constraints.finish());
  WIRE_ASSIGN(const auto request_items, call.members.map("RequestItems"));
  if (request_items->empty())
    return validation("BatchWriteItem cannot have a null or no requests set");

  table::Mutations mutations;
  std::set<std::string> seen;
  for (const auto& [asked, element] : *request_items) {
    const std::string_view name = without_arn(asked);
    Constraints naming(call.members);
    naming.check_table_name(name, "TableName");
    WIRE_TRY(naming.finish());
    simdjson::dom::array writes;
    if (element.get_array().get(writes) != simdjson::SUCCESS) {
      return serialization("RequestItems." + std::string(name) + " is not a list");
    }
    if (writes.size() == 0) {
      return validation("The batch write request list for a table cannot be null or empty: " +
                        std::string(name));
    }
    WIRE_ASSIGN(const table::TableDescription description, find_table(call, name));
    if (mutations.mutations.size() + writes.size() > kBatchWritesMax) {
      return validation("Too many items requested for the BatchWriteItem call");
    }
    for (const simdjson::dom::element write : writes) {
      const item::KeySchema& schema = description.definition.schema;
      WIRE_ASSIGN(Mutation mutation, open_batch_write(write, std::string(name), schema));
      WIRE_ASSIGN(std::string identity, identity_of(mutation, schema));
      if (!seen.insert(std::move(identity)).second) {
        return validation("Provided list of item keys contains duplicates");
      }
      mutations.mutations.push_back(std::move(mutation));
    }
  }
  table::Command command;
  command.render = [tables = tables_of(mutations.mutations), capacity](const Outcome& outcome) {
    if (outcome.failure) return render_failure(*outcome.failure);
    AnswerObject answer;
    answer.member("UnprocessedItems").append("{}");
    if (capacity != CapacityDetail::kNone) {
      append_capacities(answer, tables, outcome, 1, capacity, UnitKind::kUnsaid);
    }
    return std::move(answer).finish();
  };
  command.action = std::move(mutations);
  return command;
}

namespace {

struct ActionKind {
  std::string_view member;  // of TransactWriteItem
  std::string_view label;   // in messages
  Mutation::Kind kind;
  std::string_view subject;  // the member that holds the item or key
};

constexpr std::array<ActionKind, 4> kActions{{
    {"ConditionCheck", "conditionCheck", Mutation::Kind::kCheck, "Key"},
    {"Put", "put", Mutation::Kind::kPut, "Item"},
    {"Delete", "delete", Mutation::Kind::kDelete, "Key"},
    {"Update", "update", Mutation::Kind::kUpdate, "Key"},
}};

const RequestExpressions::Allowed& action_expressions(Mutation::Kind kind) {
  static const RequestExpressions::Allowed update{
      {"UpdateExpression", "ConditionExpression"},
      {},
      "UpdateExpression and ConditionExpression are null"};
  static const RequestExpressions::Allowed other{
      {"ConditionExpression"}, {}, "ConditionExpression is null"};
  return kind == Mutation::Kind::kUpdate ? update : other;
}

// One action, and what makes the transaction be cancelled because of it although the request is well-formed.
struct Action {
  Mutation mutation;
  std::string identity;  // of the item; empty if the key is wrong
  std::optional<std::string> invalid;
};

// The key's own errors cancel the transaction; a malformed value is an error of the request.
ServiceStatus read_subject(const simdjson::dom::element& element, const item::KeySchema& schema,
                           Action& action) {
  auto parsed = item::parse_item(element);
  if (!parsed.ok()) return service_error_of(parsed.error());
  action.mutation.item = std::move(parsed).value();
  const bool whole = action.mutation.kind == Mutation::Kind::kPut;
  if (!whole) {
    if (const Status status = item::check_key(schema, action.mutation.item); !status.ok()) {
      action.invalid = status.error().message;
      return Unit{};
    }
  }
  const auto key = item::key_of(schema, action.mutation.item);
  if (!key.ok()) {
    action.invalid = key.error().message;
    return Unit{};
  }
  action.identity = action.mutation.table + '\0' + item::encode_key(schema, key.value());
  return Unit{};
}

ServiceResult<Action> open_action(DynamoDbCall& call, simdjson::dom::element element,
                                  std::size_t number) {
  WIRE_ASSIGN(const Members members, Members::of(element));
  const ActionKind* chosen = nullptr;
  for (const ActionKind& kind : kActions) {
    if (!members.has(kind.member)) continue;
    if (chosen != nullptr)
      return validation("TransactItems can only contain one of Check, Put, Update or Delete");
    chosen = &kind;
  }
  if (chosen == nullptr) {
    return validation(
        "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request");
  }
  WIRE_ASSIGN(const auto body, members.structure(chosen->member));
  Constraints constraints(*body, "transactItems." + std::to_string(number) + ".member." +
                                     std::string(chosen->label) + ".");
  constraints.required(chosen->subject);
  Action action;
  action.mutation.kind = chosen->kind;
  if (chosen->kind == Mutation::Kind::kCheck) constraints.required("ConditionExpression");
  if (chosen->kind == Mutation::Kind::kUpdate) constraints.required("UpdateExpression");
  const std::string_view table = constraints.table_name();
  action.mutation.return_old_on_failure = constraints.old_on_failure();
  WIRE_TRY(constraints.finish());
  action.mutation.table = table;
  WIRE_ASSIGN(const table::TableDescription description, find_table(call, table));
  const item::KeySchema& schema = description.definition.schema;

  WIRE_ASSIGN(RequestExpressions expressions,
              RequestExpressions::open(*body, action_expressions(chosen->kind)));
  if (chosen->kind == Mutation::Kind::kUpdate) {
    WIRE_ASSIGN(action.mutation.update, expressions.update());
  }
  WIRE_ASSIGN(action.mutation.condition, expressions.condition());
  WIRE_TRY(expressions.finish());
  WIRE_TRY(read_subject(*body->find(chosen->subject), schema, action));
  if (!action.invalid && action.mutation.update) {
    action.invalid = key_attribute_updated(*action.mutation.update, schema);
  }
  return action;
}

ServiceError cancelled_by(const std::vector<Action>& actions) {
  table::Failure failure{table::Refusal::kTransactionCancelled, {}, {}, {}};
  for (const Action& action : actions) {
    table::CancellationReason reason;
    if (action.invalid) {
      reason.refusal = table::Refusal::kInvalid;
      reason.message = *action.invalid;
    }
    failure.reasons.push_back(std::move(reason));
  }
  return service_error_of(failure);
}

ServiceResult<std::optional<table::RepeatGuard>> read_token(const DynamoDbCall& call) {
  WIRE_ASSIGN(const auto token, call.members.string("ClientRequestToken"));
  if (!token || token->empty()) return std::optional<table::RepeatGuard>();
  if (token->size() > kTokenBytesMax) {
    Constraints constraints(call.members);
    constraints.violate("ClientRequestToken", "'" + std::string(token->substr(0, 64)) + "'",
                        "Member must have length less than or equal to 36");
    WIRE_TRY(constraints.finish());
  }
  // The same request may ask for other extras (ReturnConsumedCapacity): its actions are what must be equal.
  const std::string actions = simdjson::minify(*call.members.find("TransactItems"));
  return std::optional(table::RepeatGuard{.caller = std::string(call.caller),
                                          .id = std::string(*token),
                                          .client_token = true,
                                          .request = sha256(actions)});
}

}  // namespace

ServiceResult<table::Command> transact_write_items(DynamoDbCall& call) {
  Constraints constraints(call.members);
  constraints.required("TransactItems");
  const CapacityDetail capacity = constraints.consumed_capacity();
  constraints.item_collection_metrics();
  WIRE_TRY(constraints.finish());
  WIRE_ASSIGN(const auto list, call.members.list("TransactItems"));
  if (list->size() == 0 || list->size() > kActionsMax) {
    constraints.violate("TransactItems", "'[…]'",
                        list->size() == 0 ? "Member must have length greater than or equal to 1"
                                          : "Member must have length less than or equal to 100");
    WIRE_TRY(constraints.finish());
  }
  table::Command command;
  WIRE_ASSIGN(command.token, read_token(call));

  std::vector<Action> actions;
  std::set<std::string> seen;
  bool invalid = false;
  for (const simdjson::dom::element element : *list) {
    WIRE_ASSIGN(Action action, open_action(call, element, actions.size() + 1));
    invalid = invalid || action.invalid.has_value();
    if (!action.identity.empty() && !seen.insert(action.identity).second) {
      return validation("Transaction request cannot include multiple operations on one item");
    }
    actions.push_back(std::move(action));
  }
  if (invalid) return cancelled_by(actions);

  table::Transaction transaction;
  for (Action& action : actions) transaction.mutations.push_back(std::move(action.mutation));
  command.render = [tables = tables_of(transaction.mutations), capacity](const Outcome& outcome) {
    if (outcome.failure) return render_failure(*outcome.failure);
    AnswerObject answer;
    // A transaction writes twice: to prepare and to commit.
    if (capacity != CapacityDetail::kNone) {
      append_capacities(answer, tables, outcome, 2, capacity, UnitKind::kWrite);
    }
    return std::move(answer).finish();
  };
  command.action = std::move(transaction);
  return command;
}

}  // namespace pawl::wire
