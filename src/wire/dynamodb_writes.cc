// PutItem, UpdateItem, DeleteItem.
#include "item/dynamodb_json.h"
#include "item/item_size.h"
#include "wire/dynamodb_answer.h"
#include "wire/dynamodb_call.h"
#include "wire/dynamodb_constraints.h"
#include "wire/dynamodb_expressions.h"

namespace pawl::wire {
namespace {

using table::Mutation;
using table::MutationOutcome;
using table::Outcome;

// What the answer of a write of one item is made of.
struct WriteAnswer {
  ReturnValues values = ReturnValues::kNone;
  CapacityDetail capacity = CapacityDetail::kNone;
  std::string table;

  std::string operator()(const Outcome& outcome) const {
    if (outcome.failure) return render_failure(*outcome.failure);
    const MutationOutcome& done = outcome.mutations.at(0);
    AnswerObject answer;
    switch (values) {
      case ReturnValues::kNone:
        break;
      case ReturnValues::kAllOld:
        if (done.old_image) answer.item("Attributes", *done.old_image);
        break;
      case ReturnValues::kAllNew:
        if (done.new_image) answer.item("Attributes", *done.new_image);
        break;
      case ReturnValues::kUpdatedOld:
        if (!done.updated_old.empty()) answer.item("Attributes", done.updated_old);
        break;
      case ReturnValues::kUpdatedNew:
        if (!done.updated_new.empty()) answer.item("Attributes", done.updated_new);
        break;
    }
    if (capacity != CapacityDetail::kNone) {
      append_capacity(answer.member("ConsumedCapacity"), table,
                      write_units(done.size_before, done.size_after), capacity);
    }
    return std::move(answer).finish();
  }
};

// What all three have in common, checked in the service's order.
struct SingleWrite {
  Mutation mutation;
  WriteAnswer answer;
  item::KeySchema schema;
};

ServiceResult<SingleWrite> open_write(DynamoDbCall& call, Mutation::Kind kind) {
  Constraints constraints(call.members);
  SingleWrite write;
  constraints.required(kind == Mutation::Kind::kPut ? "Item" : "Key");
  const std::string_view name = constraints.table_name();
  write.answer.capacity = constraints.consumed_capacity();
  constraints.item_collection_metrics();
  write.answer.values = constraints.return_values();
  write.mutation.return_old_on_failure = constraints.old_on_failure();
  WIRE_TRY(constraints.finish());
  WIRE_ASSIGN(table::TableDescription description, find_table(call, name));
  if (kind != Mutation::Kind::kUpdate && write.answer.values > ReturnValues::kAllOld) {
    return validation("Return values set to invalid value");
  }
  write.schema = std::move(description.definition.schema);
  write.answer.table = name;
  write.mutation.kind = kind;
  write.mutation.table = name;
  return write;
}

table::Command command_of(SingleWrite write) {
  table::Command command;
  table::Mutations mutations;
  mutations.mutations.push_back(std::move(write.mutation));
  command.action = std::move(mutations);
  command.render = std::move(write.answer);
  return command;
}

// The vectors are made once: a request's hot path allocates nothing for them.
const RequestExpressions::Allowed& condition_only() {
  static const RequestExpressions::Allowed allowed{
      {"ConditionExpression"}, {"Expected", "ConditionalOperator"}, "ConditionExpression is null"};
  return allowed;
}

const RequestExpressions::Allowed& update_and_condition() {
  static const RequestExpressions::Allowed allowed{
      {"UpdateExpression", "ConditionExpression"},
      {"AttributeUpdates", "Expected", "ConditionalOperator"},
      "UpdateExpression and ConditionExpression are null"};
  return allowed;
}

}  // namespace

ServiceResult<item::Item> parse_key(const simdjson::dom::element& element,
                                    const item::KeySchema& schema) {
  auto key = item::parse_item(element);
  if (!key.ok()) return service_error_of(key.error());
  if (const Status status = item::check_key(schema, key.value()); !status.ok()) {
    return service_error_of(status.error());
  }
  return std::move(key).value();
}

ServiceResult<item::Item> parse_put_item(const simdjson::dom::element& element,
                                         const item::KeySchema& schema) {
  auto parsed = item::parse_item(element);
  if (!parsed.ok()) return service_error_of(parsed.error());
  if (const auto key = item::key_of(schema, parsed.value()); !key.ok()) {
    return service_error_of(key.error());
  }
  if (item::size_of(parsed.value()) > item::kItemSizeMax) {
    return validation("Item size has exceeded the maximum allowed size");
  }
  return std::move(parsed).value();
}

ServiceResult<table::Command> put_item(DynamoDbCall& call) {
  WIRE_ASSIGN(SingleWrite write, open_write(call, Mutation::Kind::kPut));
  WIRE_ASSIGN(RequestExpressions expressions,
              RequestExpressions::open(call.members, condition_only()));
  WIRE_ASSIGN(write.mutation.condition, expressions.condition());
  WIRE_TRY(expressions.finish());
  WIRE_ASSIGN(write.mutation.item, parse_put_item(*call.members.find("Item"), write.schema));
  return command_of(std::move(write));
}

ServiceResult<table::Command> delete_item(DynamoDbCall& call) {
  WIRE_ASSIGN(SingleWrite write, open_write(call, Mutation::Kind::kDelete));
  WIRE_ASSIGN(RequestExpressions expressions,
              RequestExpressions::open(call.members, condition_only()));
  WIRE_ASSIGN(write.mutation.condition, expressions.condition());
  WIRE_TRY(expressions.finish());
  WIRE_ASSIGN(write.mutation.item, parse_key(*call.members.find("Key"), write.schema));
  return command_of(std::move(write));
}

ServiceResult<table::Command> update_item(DynamoDbCall& call) {
  WIRE_ASSIGN(SingleWrite write, open_write(call, Mutation::Kind::kUpdate));
  WIRE_ASSIGN(RequestExpressions expressions,
              RequestExpressions::open(call.members, update_and_condition()));
  WIRE_ASSIGN(write.mutation.update, expressions.update());
  WIRE_ASSIGN(write.mutation.condition, expressions.condition());
  WIRE_TRY(expressions.finish());
  WIRE_ASSIGN(write.mutation.item, parse_key(*call.members.find("Key"), write.schema));
  return command_of(std::move(write));
}

}  // namespace pawl::wire
