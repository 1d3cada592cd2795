"""What makes two answers equal: sets and batches have no order, and some fields are each server's own."""

import json

# Never comparable: chosen by the server, or a clock.
VOLATILE = {"CreationDateTime", "TableId", "TableArn", "LatestStreamArn", "LatestStreamLabel", "LastDecreaseDateTime",
            "LastIncreaseDateTime", "LastUpdateToPayPerRequestDateTime", "TableSizeBytes", "ItemCount",
            "NumberOfDecreasesToday", "WarmThroughput", "ArchivalSummary"}
# Capacity units model the service's billing; that the field is there is compared, its figures are not.
PRESENCE_ONLY = {"ConsumedCapacity", "ItemCollectionMetrics"}
SET_TYPES = ("SS", "NS", "BS")


def canonical(value):
    """A deterministic text for any JSON value, with sets sorted."""
    return json.dumps(_walk(value), sort_keys=True, ensure_ascii=False)


def _walk(value):
    if isinstance(value, dict):
        result = {}
        for name, member in value.items():
            if name in VOLATILE:
                continue
            if name in PRESENCE_ONLY:
                result[name] = bool(member)
            elif name in SET_TYPES and isinstance(member, list) and len(value) == 1:
                result[name] = sorted(member, key=str)
            else:
                result[name] = _walk(member)
        return result
    if isinstance(value, list):
        return [_walk(member) for member in value]
    return value


def _unordered(items):
    return sorted((_walk(item) for item in items), key=lambda item: json.dumps(item, sort_keys=True))


def answer(operation, status, document, run_prefix):
    """The comparable form of an answer: (status, error type, body without the message, message)."""
    op = operation["op"]
    if status != 200 or not isinstance(document, dict):
        if not isinstance(document, dict):
            return status, "?", str(document)[:200], ""
        name = str(document.get("__type", "")).rsplit("#", 1)[-1]
        message = document.get("message") or document.get("Message") or ""
        rest = {k: v for k, v in document.items() if k not in ("__type", "message", "Message")}
        for reason in rest.get("CancellationReasons") or []:
            reason.pop("Message", None)
        if name != "ConditionalCheckFailedException" and name != "TransactionCanceledException":
            rest = {}
        return status, name, _walk(rest), message
    body = document
    if op == "ListTables":
        body = {"TableNames": [n for n in body.get("TableNames", []) if n.startswith(run_prefix)]}
        last = document.get("LastEvaluatedTableName", "")
        if last.startswith(run_prefix) and not last.endswith("zzz"):
            body["LastEvaluatedTableName"] = last
    elif op == "BatchGetItem":
        body = dict(body, Responses={t: _unordered(items) for t, items in body.get("Responses", {}).items()})
    elif op == "Scan":
        body = dict(body)
        if "LastEvaluatedKey" in body:  # which items come first is each server's own affair
            body["LastEvaluatedKey"] = True
            body["Items"] = len(body.get("Items", []))
        elif "Items" in body:
            body["Items"] = _unordered(body["Items"])
    return status, "", _walk(body), ""


def pages(operation, collected):
    """The comparable form of a QueryAll or ScanAll: pages in order, or their union."""
    if operation["op"] == "QueryAll":
        return [_walk(page) for page in collected]
    items = []
    for page in collected:
        items.extend(page.get("Items", []))
    return {"Items": _unordered(items), "Count": sum(p.get("Count", 0) for p in collected),
            "ScannedCount": sum(p.get("ScannedCount", 0) for p in collected),
            "HasItems": sorted({"Items" in p for p in collected})}


def resort(operation):
    """A function that brings a comparable answer's unordered items into order again, after its values changed."""
    def again(body):
        if not isinstance(body, dict):
            return body
        if operation["op"] in ("Scan", "ScanAll") and isinstance(body.get("Items"), list):
            body["Items"] = _unordered(body["Items"])
        if operation["op"] == "BatchGetItem" and isinstance(body.get("Responses"), dict):
            body["Responses"] = {t: _unordered(items) for t, items in body["Responses"].items()}
        return body
    return again


def first_difference(left, right, path=""):
    """Where two comparable answers first differ, as 'path: left against right'; '' if they are equal."""
    if isinstance(left, dict) and isinstance(right, dict):
        for name in sorted(set(left) | set(right)):
            if name not in left:
                return f"{path}.{name}: absent against {json.dumps(right[name], ensure_ascii=False)[:200]}"
            if name not in right:
                return f"{path}.{name}: {json.dumps(left[name], ensure_ascii=False)[:200]} against absent"
            found = first_difference(left[name], right[name], f"{path}.{name}")
            if found:
                return found
        return ""
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for at, (a, b) in enumerate(zip(left, right)):
            found = first_difference(a, b, f"{path}[{at}]")
            if found:
                return found
        return ""
    if left == right:
        return ""
    return f"{path}: {json.dumps(left, ensure_ascii=False)[:200]} against {json.dumps(right, ensure_ascii=False)[:200]}"
