"""JSON and parameters that are too deep, too large, of the wrong type, or not what they claim."""

import json

from target import TABLE, HostileCase, connection

SERIALIZATION = {"SerializationException"}
VALIDATION = {"ValidationException"}
EITHER = {"SerializationException", "ValidationException"}


def put(value):
    return {"TableName": TABLE, "Item": {"id": {"S": "bad"}, "v": value}}


class Json(HostileCase):
    def test_a_hundred_thousand_levels(self):
        depth = 100_000
        for text in (b"[" * depth, b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth,
                     b'{"TableName":"victims","Item":{"id":{"S":"x"},"v":' + b'{"L":[' * depth + b'{"N":"1"}' + b"]}" * depth + b"}}",
                     b'{"TableName":"victims","Item":{"id":{"S":"x"},"v":' + b'{"M":{"k":' * depth + b'{"N":"1"}' + b"}}" * depth + b"}}",
                     b'{"Unknown":' + b"[" * depth + b"]" * depth + b"}"):
            for operation in ("PutItem", "GetItem", "ListTables"):
                with self.subTest(operation + " " + text[:60].decode()):
                    self.error(operation, text, EITHER)

    def test_thirty_two_levels_and_one_more(self):
        def nested(levels):
            value = {"N": "1"}
            for _ in range(levels):
                value = {"L": [value]}
            return value
        accepted = [levels for levels in range(28, 40) if connection().call("PutItem", put(nested(levels))).status == 200]
        self.assertEqual(accepted, list(range(28, accepted[-1] + 1)) if accepted else None)
        self.assertIn(accepted[-1], (31, 32))  # the service counts the item itself as a level, or not: see the differential test
        self.error("PutItem", put(nested(accepted[-1] + 1)), VALIDATION)

    def test_duplicate_keys(self):
        for text in (b'{"TableName":"victims","TableName":"victims","Key":{"id":{"S":"keepsake"}}}',
                     b'{"TableName":"victims","Key":{"id":{"S":"keepsake"},"id":{"S":"other"}}}',
                     b'{"TableName":"victims","Key":{"id":{"S":"keepsake","S":"other"}}}'):
            with self.subTest(text):
                self.error("GetItem", text, EITHER)
        self.error("PutItem", b'{"TableName":"victims","Item":{"id":{"S":"dup"},"a":{"N":"1"},"a":{"N":"2"}}}', EITHER)
        self.error("PutItem", b'{"TableName":"victims","Item":{"id":{"S":"dup"},"m":{"M":{"a":{"N":"1"},"\\u0061":{"N":"2"}}}}}', EITHER)

    def test_invalid_utf8(self):
        for bad in (b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x80", b"\xe2\x82"):
            with self.subTest(bad):
                self.error("PutItem", b'{"TableName":"victims","Item":{"id":{"S":"' + bad + b'"}}}', EITHER)
                self.error("PutItem", b'{"TableName":"victims","Item":{"id":{"S":"x"},"' + bad + b'":{"S":"x"}}}', EITHER)
                self.error("GetItem", b'{"TableName":"' + bad + b'","Key":{"id":{"S":"x"}}}', EITHER)

    def test_lone_surrogates(self):
        for bad in (b"\\ud800", b"\\udc00", b"\\ud800x", b"\\ud800\\ud800", b"\\u12", b"\\x41"):
            with self.subTest(bad):
                self.error("PutItem", b'{"TableName":"victims","Item":{"id":{"S":"' + bad + b'"}}}', EITHER)

    def test_not_json(self):
        for text in (b"", b" ", b"{", b"nul", b"{]", b'{"a"}', b"{'a':1}", b'{"a":1,}', b'{"a":01}', b'{"a":+1}', b'{"a":.5}', b'{"a":NaN}',
                     b'{"TableName":"victims"} x', b'{"a":"\n"}', b"\xef\xbb\xbf", b"\x00" * 100, b"[]", b"null", b"1", b'"x"', b"true"):
            with self.subTest(text[:30]):
                self.error("GetItem", text, EITHER)

    def test_wrong_types_of_every_parameter(self):
        good = {
            "PutItem": {"TableName": TABLE, "Item": {"id": {"S": "t"}}, "ConditionExpression": "id = :a", "ReturnValues": "NONE",
                        "ExpressionAttributeNames": {"#a": "a"}, "ExpressionAttributeValues": {":a": {"S": "x"}}},
            "GetItem": {"TableName": TABLE, "Key": {"id": {"S": "t"}}, "ProjectionExpression": "id", "ConsistentRead": True},
            "UpdateItem": {"TableName": TABLE, "Key": {"id": {"S": "t"}}, "UpdateExpression": "REMOVE x"},
            "Query": {"TableName": TABLE, "KeyConditionExpression": "id = :a", "ExpressionAttributeValues": {":a": {"S": "x"}},
                      "Limit": 5, "ScanIndexForward": True, "ExclusiveStartKey": {"id": {"S": "x"}}, "Select": "COUNT"},
            "Scan": {"TableName": TABLE, "Segment": 0, "TotalSegments": 1, "FilterExpression": "id = :a"},
            "BatchGetItem": {"RequestItems": {TABLE: {"Keys": [{"id": {"S": "x"}}]}}},
            "BatchWriteItem": {"RequestItems": {TABLE: [{"DeleteRequest": {"Key": {"id": {"S": "x"}}}}]}},
            "TransactWriteItems": {"TransactItems": [{"Delete": {"TableName": TABLE, "Key": {"id": {"S": "x"}}}}], "ClientRequestToken": "x"},
            "CreateTable": {"TableName": "wrong", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
                            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]},
            "ListTables": {"Limit": 5, "ExclusiveStartTableName": "abc"},
        }
        for operation, body in good.items():
            for name, value in body.items():
                wrong = [[], {}, 5, "x", True, [[]], [5]]
                for replacement in (w for w in wrong if type(w) is not type(value)):
                    with self.subTest(f"{operation}.{name} = {replacement!r}"):
                        self.error(operation, {**body, name: replacement}, EITHER)

    def test_malformed_values(self):
        for value in ({}, {"S": 1}, {"N": 1}, {"N": "x"}, {"S": "a", "N": "1"}, {"X": "a"}, {"BOOL": "true"}, {"NULL": "yes"}, {"L": {}}, {"M": []},
                      {"SS": []}, {"SS": [1]}, {"SS": ["a", "a"]}, {"NS": ["1", "1.0"]}, {"BS": ["YQ==", "YQ=="]}, {"B": "***"}, {"B": 5}, "x", 5, [], True):
            with self.subTest(json.dumps(value)):
                self.error("PutItem", put(value), EITHER)


class Limits(HostileCase):
    def test_numbers(self):
        for number in ("1" * 39, "0." + "1" * 39, "1E126", "-1E126", "1E-131", "1E99999999999", "NaN", "Infinity", "", " 1", "0x1", "1_0", "１", "1e"):
            with self.subTest(number):
                self.error("PutItem", put({"N": number}), VALIDATION)
                self.error("PutItem", put({"NS": [number]}), VALIDATION)
        huge = "0" * 5_000_000 + "1"
        self.assertIn(connection().call("PutItem", put({"N": huge})).status, (200, 400))

    def test_arithmetic_cannot_leave_the_range(self):
        top = "9.9999999999999999999999999999999999999E+125"
        self.assertEqual(connection().call("PutItem", put({"N": top})).status, 200)
        self.error("UpdateItem", {"TableName": TABLE, "Key": {"id": {"S": "bad"}}, "UpdateExpression": "ADD v :v",
                                  "ExpressionAttributeValues": {":v": {"N": top}}}, VALIDATION)

    def test_items_and_keys(self):
        self.error("PutItem", put({"S": "x" * 409_601}), VALIDATION)
        self.error("PutItem", put({"L": [{"S": "x" * 1000}] * 420}), VALIDATION)
        self.error("PutItem", {"TableName": TABLE, "Item": {"id": {"S": "x" * 2049}}}, VALIDATION)
        self.error("PutItem", {"TableName": TABLE, "Item": {"id": {"S": "é" * 1025}}}, VALIDATION)
        self.error("PutItem", {"TableName": TABLE, "Item": {"id": {"S": ""}}}, VALIDATION)
        self.error("GetItem", {"TableName": TABLE, "Key": {"id": {"N": "1"}}}, VALIDATION)

    def test_an_update_cannot_outgrow_the_limit(self):
        self.assertEqual(connection().call("PutItem", put({"L": [{"S": "x" * 150_000}]})).status, 200)
        double = {"TableName": TABLE, "Key": {"id": {"S": "bad"}}, "UpdateExpression": "SET v = list_append(v, v)"}
        self.assertEqual(connection().call("UpdateItem", double).status, 200)
        self.error("UpdateItem", double, VALIDATION)

    def test_expressions(self):
        def condition(text, **values):
            return {"TableName": TABLE, "Item": {"id": {"S": "bad"}}, "ConditionExpression": text,
                    **({"ExpressionAttributeValues": values} if values else {})}
        one = {":v": {"N": "1"}}
        for text in ("(" * 100_000, "NOT " * 50_000 + "a = :v", "(" * 2000 + "attribute_exists(a)" + ")" * 2000, "a" * 5000 + " = :v",
                     " OR ".join(["a = :v"] * 2000), "a IN (" + ", ".join([":v"] * 101) + ")", "a" + "[0]" * 50_000 + " = :v",
                     "a" + ".b" * 40 + " = :v", "size(" * 5000, "a[99999999999999999999] = :v", "\x00", "a = \ud7ff\u00ff"):
            with self.subTest(text[:40]):
                self.error("PutItem", {**condition(text), "ExpressionAttributeValues": one}, VALIDATION)
        self.error("UpdateItem", {"TableName": TABLE, "Key": {"id": {"S": "bad"}}, "UpdateExpression": "SET " + "+".join([":v"] * 1000),
                                  "ExpressionAttributeValues": one}, VALIDATION)

    def test_counts(self):
        keys = [{"id": {"S": str(n)}} for n in range(20_000)]
        self.error("BatchGetItem", {"RequestItems": {TABLE: {"Keys": keys}}}, VALIDATION)
        self.error("BatchWriteItem", {"RequestItems": {TABLE: [{"DeleteRequest": {"Key": k}} for k in keys]}}, VALIDATION)
        self.error("TransactWriteItems", {"TransactItems": [{"Delete": {"TableName": TABLE, "Key": k}} for k in keys]}, VALIDATION)
        self.error("Scan", {"TableName": TABLE, "TotalSegments": 1_000_001, "Segment": 0}, VALIDATION)
        self.error("Scan", {"TableName": TABLE, "Limit": 0}, VALIDATION)

    def test_tables_that_are_not_there(self):
        for name in ("nosuchtable", "..", "...", "a..", "x" * 255):
            with self.subTest(name[:20]):
                self.error("GetItem", {"TableName": name, "Key": {"id": {"S": "x"}}}, {"ResourceNotFoundException", "ValidationException"})
        for name in ("", "a", "x" * 256, "a/b", "../../x", "a b", "é", "a\u0000b", "%2e%2e"):
            with self.subTest(name[:20]):
                self.error("CreateTable", {"TableName": name, "BillingMode": "PAY_PER_REQUEST",
                                           "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                                           "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}, VALIDATION)
