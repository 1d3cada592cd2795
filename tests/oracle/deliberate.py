"""Where Pawl differs from DynamoDB Local on purpose, and why.

Each rule names what the real service documents; DynamoDB Local is an emulator and is wrong in
places. A difference that matches a rule is counted apart and never as agreement.
A rule must be narrow: it names the operation's feature AND both answers.
"""

import base64
import json

import values


class Rule:
    """`matches(operation, left, right)` sees the operation and both answers as
    (status, error type, body, message); left is DynamoDB Local."""

    def __init__(self, name, why, source, matches):
        self.name, self.why, self.source, self.matches = name, why, source, matches


def text_of(operation):
    return operation["raw"] if "raw" in operation else json.dumps(operation["body"], ensure_ascii=False)


def _values(value, wanted):
    """Every member called `wanted`, anywhere."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name == wanted:
                yield member
            yield from _values(member, wanted)
    elif isinstance(value, list):
        for member in value:
            yield from _values(member, wanted)


def _fits_the_model(operation):
    """Whether the request has the types that the service's own model (as botocore has it) gives its members."""
    if "raw" in operation:
        return False
    import botocore.session
    import botocore.validate
    global _model
    if _model is None:
        _model = botocore.session.get_session().get_service_model("dynamodb")
    name = {"QueryAll": "Query", "ScanAll": "Scan"}.get(operation["op"], operation["op"])
    if name not in _model.operation_names:
        return False
    report = botocore.validate.ParamValidator().validate(_without_blobs(operation["body"]), _model.operation_model(name).input_shape)
    return "Invalid type" not in report.generate_report()


_model = None


def _without_blobs(value):
    """botocore wants bytes for a blob where JSON has base64."""
    if isinstance(value, dict):
        return {n: _blob(m) if n == "B" else [_blob(x) for x in m] if n == "BS" and isinstance(m, list) else _without_blobs(m)
                for n, m in value.items()}
    return [_without_blobs(m) for m in value] if isinstance(value, list) else value


def _blob(text):
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else text
    except ValueError:
        return 0  # not base64: not a blob


# The messages that the API reference lists under the cancellation reason ValidationError.
_CANCELLING = ("An operand in the update expression has an incorrect data type", "Item size to update has exceeded the maximum allowed size",
               "Number overflow", "Type mismatch for attribute to update", "Nesting Levels have exceeded supported limits",
               "The document path provided in the update expression is invalid for update",
               "The provided expression refers to an attribute that does not exist in the item", "One or more parameter values were invalid",
               # The same for keys, whose messages differ between the two ("Invalid attribute value type" is a key of type BOOL, L, …):
               "Invalid attribute value type",
               "The number of conditions on the keys is invalid", "One or more parameter values are not valid. The AttributeValue for a key")


def _one_reason(operation, left, right):
    if operation["op"] != "TransactWriteItems":
        return False
    reasons = [(a[2] or {}).get("CancellationReasons", []) for a in (left, right)]
    return (left[1] == right[1] == "TransactionCanceledException"
            and "ValidationError" in str(reasons[0]) and "ValidationError" in str(reasons[1])
            and len(reasons[1]) == len(operation["body"]["TransactItems"]))


def _nested_target(operation):
    return any(mark in str(operation["body"].get("UpdateExpression", "")) for mark in (".", "["))


RULES = [
    Rule("internal failures", "DynamoDB Local answers 500 InternalFailure to a request that is merely wrong; a wrong request is a 400",
         "developer guide, 'Error handling': 5xx is a problem on the service's side",
         lambda o, l, r: l[0] == 500 and l[1] == "InternalFailure" and r[0] == 400),
    Rule("types of members", "DynamoDB Local takes JSON of another type than the service's model has for the member, or finds another fault first",
         "service model in botocore; API reference, SerializationException",
         lambda o, l, r: r[0] == 400 and r[1] == "SerializationException" and not _fits_the_model(o)),
    Rule("enumerations", "DynamoDB Local ignores values that are not in the model's enumeration, or finds another fault first",
         "API reference: valid values of Select, ReturnConsumedCapacity, ReturnItemCollectionMetrics and ReturnValuesOnConditionCheckFailure",
         lambda o, l, r: r[1] == "ValidationException" and "Member must satisfy enum value set" in r[3] and "bogus" in text_of(o)
         and any(name in r[3] for name in ("'select'", "returnItemCollectionMetrics", "returnConsumedCapacity",
                                           "returnValuesOnConditionCheckFailure"))),
    Rule("transactions are cancelled", "what only the item shows to be wrong cancels the transaction with the reason ValidationError, in the "
         "place of the action; DynamoDB Local refuses the whole request", "API reference, TransactionCanceledException, cancellation reason codes",
         lambda o, l, r: o["op"] == "TransactWriteItems" and l[1] == "ValidationException" and r[1] == "TransactionCanceledException"
         and "ValidationError" in str(r[2]) and l[3].startswith(_CANCELLING)),
    Rule("one reason for each action", "CancellationReasons are ordered as the actions are, one each; DynamoDB Local cuts the list short, or "
         "goes on evaluating conditions", "API reference, TransactionCanceledException", _one_reason),
    Rule("billing mode", "capacity units beside PAY_PER_REQUEST are refused; DynamoDB Local ignores them, or finds first that the table exists",
         "API reference, CreateTable: with PAY_PER_REQUEST, ProvisionedThroughput cannot be specified",
         lambda o, l, r: o["op"] == "CreateTable" and "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified" in r[3]),
    Rule("one item twice", "two actions of a transaction on one item are refused; DynamoDB Local overlooks some, such as keys that are numbers "
         "with an exponent", "API reference, TransactWriteItems: actions cannot target the same item",
         lambda o, l, r: o["op"] == "TransactWriteItems" and r[3] == "Transaction request cannot include multiple operations on one item"),
    Rule("keys of reads", "a wrong key in TransactGetItems: DynamoDB Local cancels without reasons",
         "API reference, TransactionCanceledException: it carries a reason for each item",
         lambda o, l, r: o["op"] == "TransactGetItems" and l[1] == "TransactionCanceledException" and not (l[2] or {}).get("CancellationReasons")
         and "provided key element does not match the schema" in r[3]),
    Rule("two faults", "where a table is missing and something else is wrong, DynamoDB Local and Pawl name different ones of the two",
         "which fault is reported first is not documented",
         lambda o, l, r: {l[1], r[1]} == {"ValidationException", "ResourceNotFoundException"}),
    Rule("two faults, one of a token", "where a client token was used for another request and a table is missing, DynamoDB Local and Pawl name "
         "different ones of the two", "which fault is reported first is not documented",
         lambda o, l, r: {l[1], r[1]} == {"IdempotentParameterMismatchException", "ResourceNotFoundException"}),
    Rule("start keys", "a partition key is at most 2,048 bytes long and a sort key 1,024; DynamoDB Local starts after longer ones",
         "developer guide, quotas: partition key length, sort key length",
         lambda o, l, r: o["op"] in ("Scan", "Query") and l[0] == 200 and "The provided starting key is invalid" in r[3]
         and any(isinstance(n, str) and len(values.expand_marks(n)) > 1024 for n in _values(o["body"].get("ExclusiveStartKey"), "S"))),
    Rule("tables made against a rule above", "DynamoDB Local lists the table that it made although capacity units stood beside PAY_PER_REQUEST",
         "follows from 'billing mode'",
         lambda o, l, r: o["op"] == "ListTables" and l[0] == r[0] == 200 and "-bad" in str(l[2]) and "-bad" not in str(r[2])),
    Rule("conditions that check nothing", "ConditionExpression is required in a transaction's ConditionCheck; DynamoDB Local finds another fault first",
         "API reference, ConditionCheck: ConditionExpression, required",
         lambda o, l, r: o["op"] == "TransactWriteItems" and "conditionCheck.conditionExpression' failed to satisfy constraint: Member must not be null" in r[3]),
    Rule("the first answer again", "a repeated client token gets the first answer, with the ConsumedCapacity that was asked for then, whatever the repeat "
         "asks for", "docs/compatibility.md, 'Retries': the answer is kept, not made again",
         lambda o, l, r: o["op"] == "TransactWriteItems" and l[0] == r[0] == 200 and o["body"].get("ClientRequestToken")
         and set(l[2] or {}) ^ set(r[2] or {}) == {"ConsumedCapacity"}),
    Rule("table names by ARN", "the service takes a table's ARN for its name; DynamoDB Local does not yet", "API reference: TableName, 1 to 1,024 characters",
         lambda o, l, r: "arn:aws:" in str(o.get("body", {}).get("TableName")) and "Invalid table/index name" in l[3]),
    Rule("updates that update nothing", "UpdateExpression is required in a transaction's Update; DynamoDB Local does without it",
         "API reference, Update: UpdateExpression, required",
         lambda o, l, r: o["op"] == "TransactWriteItems" and "update.updateExpression' failed to satisfy constraint: Member must not be null" in r[3]),
    Rule("digits", "DynamoDB Local takes digits of other scripts as numbers", "developer guide: numbers are sent as strings of decimal digits",
         lambda o, l, r: l[0] == 200 and r[1] == "ValidationException" and any(not str(n).isascii() for n in
                                                                              [*_values(o.get("body"), "N"), *sum(_values(o.get("body"), "NS"), [])])),
    Rule("updated attributes", "UPDATED_OLD and UPDATED_NEW return the updated paths alone; DynamoDB Local returns the whole attribute around them",
         "developer guide, 'Update a table item': only rating and plot of the map info are returned",
         lambda o, l, r: o["op"] == "UpdateItem" and l[0] == r[0] == 200 and o["body"].get("ReturnValues") in ("UPDATED_OLD", "UPDATED_NEW")
         and _nested_target(o)),
]


def explain(difference):
    """The rule that covers a difference, or None."""
    for rule in RULES:
        if rule.matches(difference.operation, difference.left, difference.right):
            return rule
    return None
