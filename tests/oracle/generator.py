"""Generated sessions: a few tables and a sequence of operations on them, valid and invalid.

An operation is a plain JSON object {"op": name, "body": {...}} (or "raw": text for bodies that are
not the JSON that they should be). Two operations are macros that follow pages to the end:
QueryAll and ScanAll (with "segments"). Table names start with PREFIX, which the runner replaces
by a fresh prefix for every run, so that a session can be replayed on a server that is in use.
"""

import copy
import random

from expressions import Expressions, damage
from values import ATTRIBUTES, KeySpace, Values, repeat_mark

PREFIX = "pfx__"
SENTINEL = PREFIX + "zzz"  # exists for a whole session, so that ListTables always has a next page

SHAPES = [("S", None), ("N", None), ("B", None), ("S", "S"), ("S", "N"), ("S", "B"), ("N", "S"),
          ("N", "N"), ("B", "N"), ("S", "N"), ("S", "S")]

WEIGHTS = {
    "put": 17, "get": 8, "update": 27, "delete": 7, "batch_write": 4, "batch_get": 4,
    "transact_write": 8, "transact_get": 3, "query": 9, "query_all": 3, "scan": 4, "scan_all": 3,
    "describe": 1.2, "list": 1.2, "create": 1.6, "drop": 0.5, "update_table": 1.4, "size_limit": 0.3,
    "raw": 0.08, "unknown": 0.3,
}


class Session:
    """Generates one session; the same seed and index give the same operations."""

    def __init__(self, seed, index, length):
        self.rng = random.Random(f"{seed}/{index}")
        self.index = index
        self.values = Values(self.rng)
        self.tables = [self.new_table(name) for name in ("a", "b")]
        self.tokens = []
        self.dropped = []
        self.setup = [{"op": "CreateTable", "body": t.create("NEW_AND_OLD_IMAGES")} for t in self.tables]
        self.setup.append({"op": "CreateTable", "body": KeySpace(SENTINEL, "S", None).create(None)})
        draws = list(WEIGHTS)
        weights = list(WEIGHTS.values())
        self.operations = []
        while len(self.operations) < length:
            operation = getattr(self, self.rng.choices(draws, weights)[0])()
            if "body" in operation and self.rng.random() < 0.045:
                self.spoil(operation)
            self.operations.append(operation)

    def new_table(self, letter):
        hash_type, range_type = self.rng.choice(SHAPES)
        return KeySpace(PREFIX + letter, hash_type, range_type)

    def table(self):
        return self.rng.choices(self.tables, [3] + [1] * (len(self.tables) - 1))[0]

    def chance(self, probability):
        return self.rng.random() < probability

    def key(self, table, bad=0.035):
        if self.chance(bad):
            return table.bad_key(self.rng, self.values)
        return table.key(self.rng)

    def item(self, table):
        key = self.key(table)
        if not isinstance(key, dict):
            return key
        return {**self.values.attributes(), **key}

    def expressions(self, table):
        return Expressions(self.rng, self.values, table)

    def maybe_damaged(self, text):
        return damage(self.rng, text) if self.chance(0.05) else text

    def maybe_options(self, body, *options):
        """Parameters that are accepted, mostly without changing the answer's items."""
        for name in options:
            if self.chance(0.06):
                body[name] = self.rng.choice({
                    "ReturnConsumedCapacity": ["NONE", "TOTAL", "TOTAL", "INDEXES", "INDEXES"],
                    "ReturnItemCollectionMetrics": ["NONE", "SIZE", "SIZE"],
                }[name] + ["bogus"] * self.chance(0.02))

    # -- single items ------------------------------------------------------------------------
    def put(self):
        table = self.table()
        body = {"TableName": table.name, "Item": self.item(table)}
        self.write_options(table, body, ["NONE", "ALL_OLD", "ALL_OLD", "ALL_OLD"], ["ALL_NEW", "UPDATED_OLD", "bogus", ""])
        return {"op": "PutItem", "body": body}

    def delete(self):
        table = self.table()
        body = {"TableName": table.name, "Key": self.key(table)}
        self.write_options(table, body, ["NONE", "ALL_OLD", "ALL_OLD"], ["ALL_NEW", "UPDATED_NEW", "bogus"])
        return {"op": "DeleteItem", "body": body}

    def write_options(self, table, body, good_returns, bad_returns, draw=None):
        draw = draw or self.expressions(table)
        if self.chance(0.35):
            body["ConditionExpression"] = self.maybe_damaged(draw.condition())
        draw.attach(body)
        if self.chance(0.5):
            body["ReturnValues"] = self.rng.choice(good_returns)
        elif self.chance(0.02):
            body["ReturnValues"] = self.rng.choice(bad_returns)
        if self.chance(0.15):
            body["ReturnValuesOnConditionCheckFailure"] = self.rng.choice(["ALL_OLD", "ALL_OLD", "ALL_OLD", "NONE"])
        self.maybe_options(body, "ReturnConsumedCapacity", "ReturnItemCollectionMetrics")

    def update(self):
        table = self.table()
        body = {"TableName": table.name, "Key": self.key(table)}
        draw = self.expressions(table)
        if self.chance(0.975):
            body["UpdateExpression"] = self.maybe_damaged(draw.update())
        self.write_options(table, body, ["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW", "ALL_NEW", "UPDATED_NEW"],
                           ["bogus", "", "all_new"], draw)
        if "UpdateExpression" not in body and body.get("ReturnValues") == "UPDATED_NEW":
            del body["ReturnValues"]  # DynamoDB Local answers 500 to this pair
        return {"op": "UpdateItem", "body": body}

    def get(self):
        table = self.table()
        body = {"TableName": table.name, "Key": self.key(table)}
        self.read_options(table, body)
        return {"op": "GetItem", "body": body}

    def read_options(self, table, body, draw=None):
        draw = draw or self.expressions(table)
        if self.chance(0.35):
            body["ProjectionExpression"] = self.maybe_damaged(draw.projection())
        draw.attach(body)
        if self.chance(0.3):
            body["ConsistentRead"] = self.chance(0.6)
        self.maybe_options(body, "ReturnConsumedCapacity")

    # -- batches -----------------------------------------------------------------------------
    def distinct_keys(self, table, count):
        keys = []
        for _ in range(count):
            key = self.key(table, 0.005)
            if key not in keys or self.chance(0.05):
                keys.append(key)
        return keys

    def batch_write(self):
        requests = {}
        for table in self.rng.sample(self.tables[:2], self.rng.choice([1, 1, 2])):
            writes = []
            for key in self.distinct_keys(table, self.rng.choice([1, 2, 3, 5])):
                if self.chance(0.65):
                    item = {**self.values.attributes(), **key} if isinstance(key, dict) else key
                    writes.append({"PutRequest": {"Item": item}})
                else:
                    writes.append({"DeleteRequest": {"Key": key}})
            if self.chance(0.02):
                writes.append(self.rng.choice([{}, None, {"PutRequest": {}}, {"Bogus": 1},
                                               {"PutRequest": {"Item": table.key(self.rng)},
                                                "DeleteRequest": {"Key": table.key(self.rng)}}]))
            if self.chance(0.02):
                writes = [{"PutRequest": {"Item": {table.hash_name: {table.hash_type: str(1000 + i)}}}} for i in range(26)]
            requests[table.name] = writes if self.chance(0.99) else self.rng.choice([[], None, []])
        body = {"RequestItems": requests if self.chance(0.99) else self.rng.choice([{}, {}, None, {PREFIX + "no": []}])}
        self.maybe_options(body, "ReturnConsumedCapacity", "ReturnItemCollectionMetrics")
        return {"op": "BatchWriteItem", "body": body}

    def batch_get(self):
        requests = {}
        for table in self.rng.sample(self.tables[:2], self.rng.choice([1, 1, 2])):
            entry = {"Keys": self.distinct_keys(table, self.rng.choice([1, 2, 3, 6]))}
            if self.chance(0.02):
                entry["Keys"] = [{table.hash_name: {table.hash_type: str(1000 + i)}} for i in range(101)]
            draw = self.expressions(table)
            if self.chance(0.3):
                entry["ProjectionExpression"] = self.maybe_damaged(draw.projection())
            if draw.names:
                entry["ExpressionAttributeNames"] = draw.names
            if self.chance(0.2):
                entry["ConsistentRead"] = self.chance(0.6)
            requests[table.name] = entry if self.chance(0.99) else self.rng.choice([{}, None, {"Keys": []}])
        body = {"RequestItems": requests if self.chance(0.985) else self.rng.choice([{}, None, {PREFIX + "no": {}}])}
        self.maybe_options(body, "ReturnConsumedCapacity")
        return {"op": "BatchGetItem", "body": body}

    # -- transactions ------------------------------------------------------------------------
    def transact_write(self):
        if self.tokens and self.chance(0.12):
            token, previous = self.rng.choice(self.tokens[-5:])
            body = copy.deepcopy(previous)
            if self.chance(0.4):  # the same token with another request
                body["TransactItems"] = body["TransactItems"][:1] + [self.transact_action(self.tables[0], self.tables[0].key(self.rng))]
            return {"op": "TransactWriteItems", "body": body}
        actions = []
        for table in self.rng.sample(self.tables[:2], self.rng.choice([1, 1, 2])):
            for key in self.distinct_keys(table, self.rng.choice([1, 1, 2, 3])):
                actions.append(self.transact_action(table, key))
        if self.chance(0.01):
            actions = [{"Put": {"TableName": self.tables[0].name, "Item": self.tables[0].key(self.rng)}}] * 101
        body = {"TransactItems": actions if self.chance(0.992) else self.rng.choice([[], [], None, [{}]])}
        if self.chance(0.25):
            token = f"{PREFIX}t{len(self.tokens)}"
            body["ClientRequestToken"] = token
            if body["TransactItems"]:
                self.tokens.append((token, copy.deepcopy(body)))
        elif self.chance(0.02):
            token = self.rng.choice(["", repeat_mark("t", 37)])
            if token:  # an empty one is the same in every session, and DynamoDB Local remembers it between them
                body["ClientRequestToken"] = token
        self.maybe_options(body, "ReturnConsumedCapacity", "ReturnItemCollectionMetrics")
        return {"op": "TransactWriteItems", "body": body}

    def transact_action(self, table, key):
        draw = self.expressions(table)
        kind = self.rng.choices(["Put", "Update", "Delete", "ConditionCheck"], [30, 35, 15, 20])[0]
        action = {"TableName": table.name}
        if kind == "Put":
            action["Item"] = {**self.values.attributes(), **key} if isinstance(key, dict) else key
        else:
            action["Key"] = key
        if kind == "Update" and self.chance(0.999):
            # Mostly updates that apply to any item: what only the item shows to be wrong is told by DynamoDB Local in
            # another way than by the service (see deliberate.py), which compares little.
            action["UpdateExpression"] = draw.plain_update() if self.chance(0.93) else self.maybe_damaged(draw.update())
        if kind == "ConditionCheck" and self.chance(0.98) or self.chance(0.3):
            # Half of them likely to hold, or no transaction would ever commit.
            if self.chance(0.5):
                action["ConditionExpression"] = f"attribute_not_exists({draw.name('absent')})"
            else:
                action["ConditionExpression"] = self.maybe_damaged(draw.condition())
        draw.attach(action)
        if self.chance(0.3):
            action["ReturnValuesOnConditionCheckFailure"] = self.rng.choice(["ALL_OLD", "ALL_OLD", "NONE"])
        return {kind: action}

    def transact_get(self):
        gets = []
        for table in self.rng.sample(self.tables[:2], self.rng.choice([1, 1, 2])):
            for key in self.distinct_keys(table, self.rng.choice([1, 2, 3])):
                get = {"TableName": table.name, "Key": key}
                draw = self.expressions(table)
                if self.chance(0.3):
                    get["ProjectionExpression"] = self.maybe_damaged(draw.projection())
                if draw.names:
                    get["ExpressionAttributeNames"] = draw.names
                gets.append({"Get": get})
        body = {"TransactItems": gets if self.chance(0.98) else self.rng.choice([[], None, [{}], [{"Put": {}}]])}
        self.maybe_options(body, "ReturnConsumedCapacity")
        return {"op": "TransactGetItems", "body": body}

    # -- many items --------------------------------------------------------------------------
    def select_options(self, body, draw):
        """Select, ProjectionExpression and FilterExpression, alike for Query and Scan."""
        if self.chance(0.4):
            body["FilterExpression"] = self.maybe_damaged(draw.condition())
        if self.chance(0.25):
            body["ProjectionExpression"] = self.maybe_damaged(draw.projection())
        if self.chance(0.2):
            body["Select"] = self.rng.choice(
                ["COUNT", "COUNT", "ALL_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "bogus"]
                if "ProjectionExpression" not in body else
                ["SPECIFIC_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES"])
        draw.attach(body)
        if self.chance(0.2):
            body["ConsistentRead"] = self.chance(0.6)
        self.maybe_options(body, "ReturnConsumedCapacity")

    def query_body(self, table):
        draw = self.expressions(table)
        body = {"TableName": table.name}
        if self.chance(0.98):
            body["KeyConditionExpression"] = self.maybe_damaged(draw.key_condition())
        self.select_options(body, draw)
        if self.chance(0.35):
            body["ScanIndexForward"] = self.chance(0.3)
        return body

    def query(self):
        table = self.table()
        body = self.query_body(table)
        if self.chance(0.3):
            body["Limit"] = self.rng.choice([1, 1, 2, 3, 10, 1000, 0, -1] if self.chance(0.2) else [1, 2, 3, 5])
        if self.chance(0.08):
            body["ExclusiveStartKey"] = self.key(table)
        return {"op": "Query", "body": body}

    def query_all(self):
        body = self.query_body(self.table())
        body["Limit"] = self.rng.choice([1, 2, 3, 4])
        return {"op": "QueryAll", "body": body}

    def scan_body(self, table):
        body = {"TableName": table.name}
        self.select_options(body, self.expressions(table))
        return body

    def scan(self):
        table = self.table()
        body = self.scan_body(table)
        if self.chance(0.15) and "FilterExpression" not in body:
            body["Limit"] = self.rng.choice([1, 2, 3, 100, 0, -1])
        if self.chance(0.03):
            body["ExclusiveStartKey"] = table.bad_key(self.rng, self.values)
        if self.chance(0.06):
            body.update(self.rng.choice([
                {"TotalSegments": 1, "Segment": 0}, {"TotalSegments": 2}, {"Segment": 0}, {"TotalSegments": 2, "Segment": 2},
                {"TotalSegments": 0, "Segment": 0}, {"TotalSegments": 1000001, "Segment": 0}, {"TotalSegments": 2, "Segment": -1}]))
        return {"op": "Scan", "body": body}

    def scan_all(self):
        body = self.scan_body(self.table())
        if self.chance(0.7):
            body["Limit"] = self.rng.choice([1, 2, 3, 5])
        return {"op": "ScanAll", "segments": self.rng.choice([1, 1, 2, 3, 7]), "body": body}

    # -- tables ------------------------------------------------------------------------------
    def any_table_name(self):
        roll = self.rng.random()
        if roll < 0.75:
            return self.table().name
        if roll < 0.9:
            return PREFIX + "no"
        return self.rng.choice(["", "a", "ab", PREFIX + "sp ace", PREFIX + "é", PREFIX + "/", repeat_mark("t", 255),
                                repeat_mark("t", 256), "arn:aws:dynamodb:us-east-1:000000000000:table/" + PREFIX + "a"])

    def describe(self):
        return {"op": "DescribeTable", "body": {"TableName": self.any_table_name()}}

    def list(self):
        body = {"ExclusiveStartTableName": PREFIX + self.rng.choice(["", "", "a", "aa", "b", "no", "c"]) or PREFIX}
        if self.chance(0.6):
            body["Limit"] = self.rng.choice([1, 1, 2, 3, 100, 100] if self.chance(0.93) else [0, -1, 101])
        if body["ExclusiveStartTableName"] == PREFIX:
            body["ExclusiveStartTableName"] = PREFIX + "A"  # 'A' sorts before every table of the session
        return {"op": "ListTables", "body": body}

    def create(self):
        rng = self.rng
        roll = rng.random()
        if self.dropped and roll < 0.6:  # again under the same name, perhaps with another schema
            index = self.dropped.pop()
            self.tables[index] = self.new_table(self.tables[index].name[len(PREFIX):])
            return {"op": "CreateTable", "body": self.tables[index].create("NEW_AND_OLD_IMAGES")}
        if roll < 0.3 and len(self.tables) < 4:
            table = self.new_table("cd"[len(self.tables) - 2])
            self.tables.append(table)
            return {"op": "CreateTable", "body": table.create(rng.choice([None, "NEW_AND_OLD_IMAGES", "KEYS_ONLY", "NEW_IMAGE"]))}
        if roll < 0.5:
            return {"op": "CreateTable", "body": self.tables[0].create("NEW_AND_OLD_IMAGES")}  # exists already
        body = self.new_table("bad").create(None)
        self.spoil_create(body)
        return {"op": "CreateTable", "body": body}

    def spoil_create(self, body):
        rng = self.rng
        roll = rng.choices(range(16), [3] * 8 + [1] + [3] * 7)[0]
        if roll == 0:
            body["TableName"] = rng.choice(["", "a", "ab", "sp ace", repeat_mark("t", 256), None, 5])
        elif roll == 1:
            body["KeySchema"].reverse()
            body["KeySchema"].append({"AttributeName": "x", "KeyType": "RANGE"})
        elif roll == 2:
            body["KeySchema"][0]["KeyType"] = rng.choice(["RANGE", "hash", "", None])
        elif roll == 3:
            body["KeySchema"] = rng.choice([[], None, {}, "h"])
        elif roll == 4:
            body["AttributeDefinitions"].append({"AttributeName": "unused", "AttributeType": "S"})
        elif roll == 5:
            body["AttributeDefinitions"][0]["AttributeType"] = rng.choice(["BOOL", "L", "s", "", None, "SS"])
        elif roll == 6:
            body["AttributeDefinitions"] = rng.choice([[], None, body["AttributeDefinitions"] * 2])
        elif roll == 7:
            del body["BillingMode"]
        elif roll == 8:
            body["ProvisionedThroughput"] = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
        elif roll == 9:
            body["BillingMode"] = rng.choice(["PROVISIONED", "bogus", ""])
        elif roll == 10:
            body["StreamSpecification"] = rng.choice([{"StreamEnabled": True}, {"StreamEnabled": False, "StreamViewType": "NEW_IMAGE"},
                                                      {"StreamEnabled": True, "StreamViewType": "bogus"}, {}, {"StreamViewType": "KEYS_ONLY"}])
        elif roll == 11:
            body["KeySchema"][0]["AttributeName"] = rng.choice(["other", "", repeat_mark("h", 256)])
        elif roll == 12:
            body.update(BillingMode="PROVISIONED", ProvisionedThroughput=rng.choice(
                [{"ReadCapacityUnits": 0, "WriteCapacityUnits": 1}, {"ReadCapacityUnits": 5}, {}, {"ReadCapacityUnits": -1, "WriteCapacityUnits": 1}]))
        elif roll == 13:
            del body[rng.choice(list(body))]
        elif roll == 14:
            body["KeySchema"] = body["KeySchema"][:1] * 2
        else:
            body["TableName"] = PREFIX + rng.choice(["sp ace", "é", "a/b", "a:b"])

    def drop(self):
        name = self.any_table_name()
        if name == self.tables[0].name and self.chance(0.6):
            name = PREFIX + "no"  # keep most first tables alive, or too little else happens
        for index, table in enumerate(self.tables):
            if table.name == name and index not in self.dropped:
                self.dropped.append(index)
        return {"op": "DeleteTable", "body": {"TableName": name}}

    def update_table(self):
        body = {"TableName": self.any_table_name()}
        if self.chance(0.85):
            body["StreamSpecification"] = self.rng.choice([
                {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}, {"StreamEnabled": False},
                {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}, {"StreamEnabled": True},
                {"StreamEnabled": False, "StreamViewType": "NEW_IMAGE"}, {"StreamEnabled": True, "StreamViewType": "bogus"}, {}])
        return {"op": "UpdateTable", "body": body}

    # -- edges -------------------------------------------------------------------------------
    def size_limit(self):
        """Items around 400 KB: names and UTF-8 values count, and each type has its overhead."""
        table = self.table()
        body = {"TableName": table.name, "Item": table.key(self.rng)}
        around = 409600 + self.rng.choice([-60, -20, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 5, 40, 5000])
        extra = self.rng.choice([{}, {"o": {"BOOL": True}}, {"l": {"L": []}}, {"n": {"N": "123.45"}}, {"z": {"NULL": True}},
                                 {"ns": {"NS": ["1", "22"]}}, {"m": {"M": {"x": {"N": "-1"}}}}])
        body["Item"].update(extra)
        used = sum(len(k) + sum(len(str(x)) for x in v.values()) for k, v in body["Item"].items()) + 1
        body["Item"]["s"] = {"S": repeat_mark(self.rng.choice("xé"), max(1, around - used))}
        if "é" in body["Item"]["s"]["S"]:
            body["Item"]["s"] = {"S": repeat_mark("é", (around - used) // 2)}
        return {"op": "PutItem", "body": body}

    def raw(self):
        """Bodies that are not the JSON object that they should be."""
        good = '{"TableName":"%s","Key":{"h":{"S":"A"}}}' % self.tables[0].name
        return {"op": self.rng.choice(["GetItem", "GetItem", "PutItem", "Query", "ListTables"]), "raw": self.rng.choice([
            "", " ", "{", "}", "[]", "null", "1", '"x"', good[:-1], good + "x", "{'a':1}", '{"TableName":}', '{"TableName":"x",}',
            '{"TableName":1}', '{"TableName":true}', '{"TableName":["x"]}', '{"TableName":{}}', '{"TableName":null}',
            '{"Limit":"x"}', '{"Limit":1.5}', '{"Limit":1e3}', '{"Limit":99999999999999999999}', '{"Unknown":1}',
            '{"TableName":"%s","Key":{"h":{"S":"\\ud800"}}}' % self.tables[0].name])}

    def unknown(self):
        return {"op": self.rng.choice(["Nope", "getitem", "GetItem2"]), "body": {}}

    def spoil(self, operation):
        """Damages a request's parameters: absent, null, of a wrong type, unknown, or left over."""
        rng, body = self.rng, operation["body"]
        names = [name for name in body if name != "ExclusiveStartTableName"] or ["TableName"]
        name = rng.choice(names)
        roll = rng.choices(range(9), [40, 10, 2, 40, 12, 40, 40, 32, 32])[0]
        if roll == 0:
            body.pop(name, None)
        elif roll == 1:
            body[name] = None
        elif roll == 2:
            body[name] = rng.choice([1, "x", True, [], {}, ["x"], {"x": 1}, ""])
        elif roll == 3:
            body["ExpressionAttributeNames"] = rng.choice(
                [{}, {"#unused": "a"}, {"bad": "a"}, {"#": "a"}, {"#a": ""}, {"#a": 1}, {"#a b": "c"}, "x", {"#z": "z", "#q": "q"}])
        elif roll == 4:
            body["ExpressionAttributeValues"] = rng.choice(
                [{}, {":unused": {"S": "a"}}, {"bad": {"S": "a"}}, {":": {"N": "1"}}, {":a": {}}, {":a": "x"}, {":a": {"N": "x"}},
                 {":a": {"SS": []}}, "x"])
        elif roll == 5:
            field = rng.choice(["ConditionExpression", "UpdateExpression", "ProjectionExpression", "FilterExpression",
                                "KeyConditionExpression"])
            body[field] = rng.choice(["", " ", "attribute_exists(h)", "SET s = :a", "s, t", "h = :h"])
        elif roll == 6:
            body["TableName"] = self.any_table_name()
        elif roll == 7:
            operation["op"] = rng.choice(["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "DescribeTable"])
        else:
            body[rng.choice(["Bogus", "tableName", "Items", "Attributes"])] = rng.choice([1, "x", {}])
