"""Sends operations to the two servers and compares what came back, one session at a time."""

import json

from blackbox.raw_http import Connection, ConnectionLost, STREAMS_PREFIX, TARGET_PREFIX
from corrections import corrected, corrected_record
from generator import PREFIX
from normalise import answer, canonical, first_difference, pages, resort
from values import expand_marks

PAGES_MAX = 400  # far more than any session has items; a server that never ends its pages is a difference
MACROS = {"QueryAll": "Query", "ScanAll": "Scan"}
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "CreateTable", "DeleteTable"}


class Side:
    """One server: its connection, and the fresh table-name prefix of the running session."""

    def __init__(self, label, host, port):
        self.label = label
        self.connection = Connection(host, port)
        self.prefix = ""

    def encode(self, operation):
        text = operation["raw"] if "raw" in operation else json.dumps(operation["body"], ensure_ascii=False)
        # A lone surrogate cannot be UTF-8; scripts carry it as an escape.
        return expand_marks(text.replace(PREFIX, self.prefix)).encode("utf-8", "surrogatepass")

    def send(self, operation):
        name = MACROS.get(operation["op"], operation["op"])
        data = self.encode(operation)
        try:
            self.connection.send(TARGET_PREFIX + name, data)
        except OSError:
            self.connection.close()
            self.connection.send(TARGET_PREFIX + name, data)

    def receive(self):
        try:
            reply = self.connection.receive()
        except ConnectionLost as error:
            return 0, f"connection lost: {error}"
        try:
            return reply.status, json.loads(reply.body)
        except ValueError:
            return reply.status, reply.body.decode("utf-8", "replace")

    def call(self, op, body):
        self.send({"op": op, "body": body})
        return self.receive()


class Difference:
    """One disagreement. `kind` names the first thing that differs, in the order of how much it matters."""

    def __init__(self, operation, left, right):
        self.operation, self.left, self.right = operation, left, right
        if left[0] != right[0]:
            self.kind = "status"
        elif left[1] != right[1]:
            self.kind = "type"
        else:
            self.kind = "body"

    def signature(self):
        """What makes two differences the same finding: the shrinker keeps it, the report groups by it."""
        return (self.operation["op"], self.kind, str(self.left[0]), self.left[1] if self.left[0] != 200 else "",
                str(self.right[0]), self.right[1] if self.right[0] != 200 else "",
                skeleton(self.left[3] or self.right[3] or first_difference(self.left[2], self.right[2])))


def skeleton(message):
    """A message without the parts that quote the request."""
    out, quoted = [], False
    for word in message.replace(PREFIX, "").split():
        if ":" in word[:-1] or "#" in word or any(c.isdigit() for c in word) or "'" in word or '"' in word:
            word = "…"
        out.append(word)
    return " ".join(out)[:110]


def single(left, right, operation):
    """Runs a plain operation on both; returns the two comparable answers."""
    left.send(operation)
    right.send(operation)
    answers = []
    for side in (left, right):
        status, document = side.receive()
        answers.append(answer(operation, status, document, side.prefix))
    return answers


def paged(side, operation):
    """Follows LastEvaluatedKey to the end on one server (and over all segments)."""
    segments = operation.get("segments", 1)
    collected = []
    for segment in range(segments):
        body = json.loads(json.dumps(operation["body"]))
        if segments > 1:
            body.update(TotalSegments=segments, Segment=segment)
        while True:
            status, document = side.call(MACROS[operation["op"]], body)
            if status != 200:
                return answer(operation, status, document, side.prefix)
            collected.append(document)
            if "LastEvaluatedKey" not in document:
                break
            body["ExclusiveStartKey"] = document["LastEvaluatedKey"]
            if len(collected) > PAGES_MAX:
                return 200, "pages never end", {}, ""
    return 200, "", pages(operation, collected), ""


def compare(left, right, operation):
    """(None if the servers agree, else a Difference; whether the error messages were equal too; both answers, and a
    third member if they agree only after DynamoDB Local's was corrected)."""
    if operation["op"] in MACROS:
        answers = [paged(left, operation), paged(right, operation)]
    else:
        answers = single(left, right, operation)
    texts = [canonical(a[:3]).replace(side.prefix, PREFIX) for a, side in zip(answers, (left, right))]
    messages = [a[3].replace(side.prefix, PREFIX) for a, side in zip(answers, (left, right))]
    if texts[0] == texts[1]:
        return None, messages[0] == messages[1], answers
    answers[0] = corrected(operation, answers[0], resort(operation))
    if canonical(answers[0][:3]).replace(left.prefix, PREFIX) == texts[1]:
        return None, messages[0] == messages[1], answers + [True]
    return Difference(operation, answers[0], answers[1]), False, answers


# -- keeping the two in step after a difference ------------------------------------------------

def contents(side, table):
    """Every item of a table keyed by its key's text, or None if there is no such table."""
    status, description = side.call("DescribeTable", {"TableName": table})
    if status != 200:
        return None, None
    keys = [k["AttributeName"] for k in description["Table"]["KeySchema"]]
    items, body = {}, {"TableName": table}
    while True:
        status, document = side.call("Scan", body)
        if status != 200:
            return None, None
        for item in map(corrected_record, document["Items"]):
            items[canonical({k: item[k] for k in keys})] = item
        if "LastEvaluatedKey" not in document:
            return items, keys
        body["ExclusiveStartKey"] = document["LastEvaluatedKey"]


def resync(left, right, tables):
    """Makes the right server's tables hold what the left one's hold, so that one difference is
    counted once and not again in every later read. False if it can't be done. The second result
    says whether anything had to be changed (then their streams differ for that reason)."""
    changed = False
    for table in tables:
        expected, keys = contents(left, table)
        found, _ = contents(right, table)
        if (expected is None) != (found is None):
            return False, True
        if expected is None:
            continue
        for key, item in found.items():
            if key not in expected:
                changed = True
                if right.call("DeleteItem", {"TableName": table, "Key": {k: item[k] for k in keys}})[0] != 200:
                    return False, True
        for key, item in expected.items():
            if key not in found or canonical(found[key]) != canonical(item):
                changed = True
                if right.call("PutItem", {"TableName": table, "Item": item})[0] != 200:
                    return False, True
    return True, changed


# -- change streams ----------------------------------------------------------------------------

def stream_records(side, table):
    """All records of a table's stream in shard order, from DynamoDB Streams' own API; None if it has none."""
    status, description = side.call("DescribeTable", {"TableName": table})
    if status != 200 or "LatestStreamArn" not in description["Table"]:
        return None
    arn, records, start = description["Table"]["LatestStreamArn"], [], None

    def streams(op, body):
        reply = side.connection.call(op, body, prefix=STREAMS_PREFIX)
        if reply.status != 200:
            raise RuntimeError(f"{op}: {reply.status} {reply.body[:200]}")
        return reply.json()

    shards = []
    while True:
        body = {"StreamArn": arn}
        if start:
            body["ExclusiveStartShardId"] = start
        page = streams("DescribeStream", body)["StreamDescription"]
        shards.extend(page["Shards"])
        start = page.get("LastEvaluatedShardId")
        if not start:
            break
    for shard in sorted(shards, key=lambda s: s["SequenceNumberRange"]["StartingSequenceNumber"]):
        iterator = streams("GetShardIterator", {"StreamArn": arn, "ShardId": shard["ShardId"],
                                                "ShardIteratorType": "TRIM_HORIZON"})["ShardIterator"]
        empty = 0
        while iterator and empty < 2:
            page = streams("GetRecords", {"ShardIterator": iterator, "Limit": 1000})
            records.extend(page["Records"])
            empty = empty + 1 if not page["Records"] else 0
            iterator = page.get("NextShardIterator")
    return [{"kind": r["eventName"], "key": r["dynamodb"]["Keys"], "new": r["dynamodb"].get("NewImage"),
             "old": r["dynamodb"].get("OldImage")} for r in records]
