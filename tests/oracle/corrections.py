"""What DynamoDB Local says differently from the service in an answer that is otherwise right.

Applied to DynamoDB Local's side only, before comparing: so the rest of the answer is still compared, and
Pawl is held to the service's form. Answers that agree only after a correction are counted and printed.
"""

from decimal import Decimal, InvalidOperation

CORRECTIONS = {
    "numbers": "DynamoDB Local gives back numbers as they were sent or in Java's notation ('1e3', '1E+3'); the service "
               "normalises them [developer guide, 'Data types': leading and trailing zeroes are trimmed]",
    "capacity of DeleteItem": "DynamoDB Local answers ConsumedCapacity unasked; 'only returned if the ReturnConsumedCapacity "
                              "parameter was specified' [API reference, DeleteItem]",
    "status of DeleteTable": "DynamoDB Local answers ACTIVE; 'the table is in the DELETING state' [API reference, DeleteTable]",
}


def plain(text):
    """A number as the service writes it: decimal digits without an exponent or needless zeroes."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite():
        return text
    digits = format(number, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if number == 0 else digits


def _numbers(value):
    if isinstance(value, dict):
        if len(value) == 1:
            (name, member), = value.items()
            if name == "N" and isinstance(member, str):
                return {"N": plain(member)}
            if name == "NS" and isinstance(member, list):
                return {"NS": sorted(plain(m) for m in member)}
        return {name: _numbers(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_numbers(member) for member in value]
    return value


def corrected_record(record):
    """A stream record with its numbers as the service writes them."""
    return _numbers(record)


def corrected(operation, answer, resort):
    """DynamoDB Local's comparable answer as the service would have given it. `resort` puts items that have no order
    into a canonical one again."""
    status, name, body, message = answer
    body = resort(_numbers(body))
    if status == 200 and isinstance(body, dict):
        if operation["op"] == "DeleteItem" and operation["body"].get("ReturnConsumedCapacity") in (None, "NONE"):
            body = {k: v for k, v in body.items() if k != "ConsumedCapacity"}
        if operation["op"] == "DeleteTable" and "TableDescription" in body:
            body = {**body, "TableDescription": {**body["TableDescription"], "TableStatus": "DELETING"}}
    return status, name, body, message
