"""boto3 with nothing but endpoint_url: the ordinary things that applications do."""

import threading
import unittest
import uuid
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary
from botocore.exceptions import ClientError

from blackbox import suite


def client():
    return boto3.client("dynamodb", endpoint_url=suite.current().url)


def resource():
    return boto3.resource("dynamodb", endpoint_url=suite.current().url)


def create(name, range_type=None, **more):
    schema = [{"AttributeName": "id", "KeyType": "HASH"}]
    definitions = [{"AttributeName": "id", "AttributeType": "S"}]
    if range_type:
        schema.append({"AttributeName": "at", "KeyType": "RANGE"})
        definitions.append({"AttributeName": "at", "AttributeType": range_type})
    table = resource().create_table(TableName=name, KeySchema=schema, AttributeDefinitions=definitions,
                                    BillingMode="PAY_PER_REQUEST", **more)
    table.wait_until_exists()
    return table


def fresh(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


class Case(unittest.TestCase):
    def refused(self, code, call, *arguments, **named):
        with self.assertRaises(ClientError) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        self.assertTrue(caught.exception.response["Error"]["Message"], "an error says what was wrong")
        return caught.exception.response


class Tables(Case):
    def test_create_wait_describe_list_delete(self):
        dynamodb, name = client(), fresh("life")
        created = dynamodb.create_table(
            TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})["TableDescription"]
        self.assertIn(created["TableStatus"], ("CREATING", "ACTIVE"))
        dynamodb.get_waiter("table_exists").wait(TableName=name)
        table = dynamodb.describe_table(TableName=name)["Table"]
        self.assertEqual(table["TableStatus"], "ACTIVE")
        self.assertEqual(table["ProvisionedThroughput"]["WriteCapacityUnits"], 6)
        self.assertEqual(table["StreamSpecification"]["StreamViewType"], "NEW_AND_OLD_IMAGES")
        self.assertTrue(table["TableArn"].endswith(":table/" + name))
        names = [n for page in dynamodb.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 1})
                 for n in page["TableNames"]]
        self.assertIn(name, names)
        self.assertEqual(len(names), len(set(names)))
        self.refused("ResourceInUseException", create, name)
        dynamodb.delete_table(TableName=name)
        dynamodb.get_waiter("table_not_exists").wait(TableName=name)
        self.refused("ResourceNotFoundException", dynamodb.describe_table, TableName=name)

    def test_stream_settings(self):
        dynamodb, name = client(), create(fresh("stream")).name
        on = dynamodb.update_table(TableName=name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
        self.assertEqual(on["TableDescription"]["StreamSpecification"]["StreamViewType"], "NEW_IMAGE")
        self.assertIn("/stream/", dynamodb.describe_table(TableName=name)["Table"]["LatestStreamArn"])
        dynamodb.update_table(TableName=name, StreamSpecification={"StreamEnabled": False})
        self.assertNotIn("StreamSpecification", dynamodb.describe_table(TableName=name)["Table"])

    def test_a_table_that_is_not_there(self):
        dynamodb = client()
        for call, arguments in [(dynamodb.get_item, {"Key": {"id": {"S": "x"}}}), (dynamodb.put_item, {"Item": {"id": {"S": "x"}}}),
                                (dynamodb.scan, {}), (dynamodb.delete_table, {})]:
            self.refused("ResourceNotFoundException", call, TableName="nosuchtable", **arguments)


class Items(Case):
    @classmethod
    def setUpClass(cls):
        cls.table = create(fresh("items"))

    def test_all_ten_types_come_back_as_they_went(self):
        item = {"id": "types", "s": "日本 😀", "n": Decimal("-12345678901234567890123456789012345678"),
                "small": Decimal("1E-130"), "b": Binary(b"\x00\xff"), "yes": True, "no": False, "none": None,
                "list": [1, "two", [Decimal("3.5"), {"deep": None}]], "map": {"k": {"k": {"k": "v"}}},
                "ss": {"a", "b"}, "ns": {Decimal(1), Decimal("2.5")}, "bs": {Binary(b"x"), Binary(b"y")}, "empty": "", "eb": Binary(b"")}
        self.table.put_item(Item=item)
        self.assertEqual(self.table.get_item(Key={"id": "types"}, ConsistentRead=True)["Item"], item)

    def test_get_of_nothing_has_no_item(self):
        self.assertNotIn("Item", self.table.get_item(Key={"id": "nobody"}))

    def test_update_returns(self):
        key = {"id": "returns"}
        self.table.put_item(Item={**key, "a": 1, "b": 2})
        draw = {"UpdateExpression": "SET a = a + :one", "ExpressionAttributeValues": {":one": 1}, "Key": key}
        self.assertEqual(self.table.update_item(**draw, ReturnValues="UPDATED_OLD")["Attributes"], {"a": 1})
        self.assertEqual(self.table.update_item(**draw, ReturnValues="UPDATED_NEW")["Attributes"], {"a": 3})
        self.assertEqual(self.table.update_item(**draw, ReturnValues="ALL_OLD")["Attributes"], {**key, "a": 3, "b": 2})
        self.assertEqual(self.table.update_item(**draw, ReturnValues="ALL_NEW")["Attributes"], {**key, "a": 5, "b": 2})
        self.assertNotIn("Attributes", self.table.update_item(**draw))
        self.assertEqual(self.table.delete_item(Key=key, ReturnValues="ALL_OLD")["Attributes"], {**key, "a": 6, "b": 2})

    def test_every_update_clause(self):
        key = {"id": "clauses"}
        self.table.put_item(Item={**key, "l": [1], "m": {"x": 1, "gone": 1}, "n": 5, "ss": {"a", "b"}, "drop": 1})
        new = self.table.update_item(
            Key=key, ReturnValues="ALL_NEW",
            UpdateExpression="SET l = list_append(l, :l), m.#y = if_not_exists(m.#y, :one), l2 = list_append(:l, l) "
                             "REMOVE m.gone, #drop ADD n :one, ns :ns DELETE ss :ss",
            ExpressionAttributeNames={"#y": "y", "#drop": "drop"},
            ExpressionAttributeValues={":l": [2, 3], ":one": 1, ":ns": {Decimal(7)}, ":ss": {"a"}})["Attributes"]
        self.assertEqual(new, {**key, "l": [1, 2, 3], "l2": [2, 3, 1], "m": {"x": 1, "y": 1}, "n": 6, "ss": {"b"}, "ns": {Decimal(7)}})

    def test_a_counter_counts_from_nothing(self):
        for expected in (1, 2, 3):
            new = self.table.update_item(Key={"id": "counter"}, UpdateExpression="ADD #v :one", ReturnValues="UPDATED_NEW",
                                         ExpressionAttributeNames={"#v": "_version"}, ExpressionAttributeValues={":one": 1})
            self.assertEqual(new["Attributes"], {"_version": expected})

    def test_conditions(self):
        key = {"id": "condition"}
        self.table.put_item(Item={**key, "n": 1}, ConditionExpression=Attr("id").not_exists())
        self.refused("ConditionalCheckFailedException", self.table.put_item, Item=key,
                     ConditionExpression=Attr("id").not_exists())
        refusal = self.refused("ConditionalCheckFailedException", self.table.update_item, Key=key,
                               UpdateExpression="SET n = :v", ConditionExpression="n > :v",
                               ExpressionAttributeValues={":v": 5}, ReturnValuesOnConditionCheckFailure="ALL_OLD") \
            if _has_failure_returns() else {"Item": {"id": {"S": "condition"}, "n": {"N": "1"}}}
        self.assertEqual(refusal["Item"], {"id": {"S": "condition"}, "n": {"N": "1"}})
        self.assertEqual(self.table.get_item(Key=key)["Item"]["n"], 1)
        self.table.delete_item(Key=key, ConditionExpression=Attr("n").between(0, 2) & Attr("n").is_in([1, 2]))

    def test_projection(self):
        self.table.put_item(Item={"id": "p", "a": 1, "m": {"x": [10, 20], "y": 3}, "status": "on"})
        got = self.table.get_item(Key={"id": "p"}, ProjectionExpression="m.x[1], #s", ExpressionAttributeNames={"#s": "status"})
        self.assertEqual(got["Item"], {"m": {"x": [20]}, "status": "on"})

    def test_legacy_parameters_are_refused_clearly(self):
        response = self.refused("ValidationException", client().get_item, TableName=self.table.name,
                                Key={"id": {"S": "p"}}, AttributesToGet=["id"]) if suite.current().pawl else None
        if response:
            self.assertIn("AttributesToGet", response["Error"]["Message"])

    def test_errors_of_a_write(self):
        for arguments in ({"Item": {"other": 1}}, {"Item": {"id": 5}}, {"Item": {"id": ""}},
                          {"Item": {"id": "x" * 2049}}, {"Item": {"id": "big", "data": "x" * 400 * 1024}}):
            with self.subTest(str(arguments)[:60]):
                self.refused("ValidationException", self.table.put_item, **arguments)
        self.table.put_item(Item={"id": "x" * 2048})
        self.table.put_item(Item={"id": "big", "data": "x" * (400 * 1024 - 9)})
        self.assertEqual(len(self.table.get_item(Key={"id": "big"})["Item"]["data"]), 400 * 1024 - 9)

    def test_sixteen_writers_of_one_counter(self):
        def count():
            mine = resource().Table(self.table.name)
            for _ in range(25):
                mine.update_item(Key={"id": "shared"}, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": 1})
        threads = [threading.Thread(target=count) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.table.get_item(Key={"id": "shared"}, ConsistentRead=True)["Item"]["n"], 16 * 25)


def _has_failure_returns():
    """Debian's botocore may be older than ReturnValuesOnConditionCheckFailure on single writes."""
    shape = client().meta.service_model.operation_model("UpdateItem").input_shape
    return "ReturnValuesOnConditionCheckFailure" in shape.members


class Batches(Case):
    @classmethod
    def setUpClass(cls):
        cls.table = create(fresh("batch"))

    def test_batch_writer_and_batch_get(self):
        with self.table.batch_writer() as batch:
            for number in range(100):
                batch.put_item(Item={"id": f"b{number}", "n": number})
        got = resource().batch_get_item(RequestItems={self.table.name: {
            "Keys": [{"id": f"b{n}"} for n in range(99)] + [{"id": "missing"}], "ProjectionExpression": "n"}})
        self.assertEqual(sorted(i["n"] for i in got["Responses"][self.table.name]), list(range(99)))
        self.assertEqual(got["UnprocessedKeys"], {})
        with self.table.batch_writer() as batch:
            for number in range(100):
                batch.delete_item(Key={"id": f"b{number}"})
        self.assertEqual(self.table.scan(FilterExpression=Attr("n").exists())["Count"], 0)

    def test_limits(self):
        put = [{"PutRequest": {"Item": {"id": {"S": str(n)}}}} for n in range(26)]
        self.refused("ValidationException", client().batch_write_item, RequestItems={self.table.name: put})
        self.refused("ValidationException", client().batch_write_item, RequestItems={self.table.name: [put[0], put[0]]})
        self.refused("ValidationException", client().batch_get_item,
                     RequestItems={self.table.name: {"Keys": [{"id": {"S": str(n)}} for n in range(101)]}})


class Queries(Case):
    @classmethod
    def setUpClass(cls):
        cls.table = create(fresh("query"), "N")
        with cls.table.batch_writer() as batch:
            for person in ("A", "B"):
                for at in range(40):
                    batch.put_item(Item={"id": person, "at": at, "even": at % 2 == 0, "pad": "x" * 100})

    def test_order_ranges_and_reverse(self):
        def ats(condition, **more):
            return [int(i["at"]) for i in self.table.query(KeyConditionExpression=Key("id").eq("A") & condition, **more)["Items"]]
        self.assertEqual(ats(Key("at").between(3, 6)), [3, 4, 5, 6])
        self.assertEqual(ats(Key("at").gte(37)), [37, 38, 39])
        self.assertEqual(ats(Key("at").lt(3), ScanIndexForward=False), [2, 1, 0])
        self.assertEqual(ats(Key("at").gt(-1), Limit=2), [0, 1])

    def test_paginator_with_filter(self):
        pages = list(client().get_paginator("query").paginate(
            TableName=self.table.name, KeyConditionExpression="id = :id", FilterExpression="even = :yes",
            ExpressionAttributeValues={":id": {"S": "A"}, ":yes": {"BOOL": True}}, PaginationConfig={"PageSize": 7}))
        self.assertEqual([int(i["at"]["N"]) for p in pages for i in p["Items"]], list(range(0, 40, 2)))
        self.assertEqual(sum(p["ScannedCount"] for p in pages), 40)
        self.assertGreaterEqual(len(pages), 6)

    def test_count(self):
        counted = self.table.query(KeyConditionExpression=Key("id").eq("B"), Select="COUNT")
        self.assertEqual((counted["Count"], counted["ScannedCount"]), (40, 40))
        self.assertNotIn("Items", counted)

    def test_scan_paginator_and_segments(self):
        whole = {(i["id"]["S"], int(i["at"]["N"])) for page in client().get_paginator("scan").paginate(
            TableName=self.table.name, PaginationConfig={"PageSize": 9}) for i in page["Items"]}
        self.assertEqual(whole, {(p, at) for p in "AB" for at in range(40)})
        parts = []
        for segment in range(4):
            for page in client().get_paginator("scan").paginate(TableName=self.table.name, TotalSegments=4, Segment=segment,
                                                                 PaginationConfig={"PageSize": 5}):
                parts += [(i["id"]["S"], int(i["at"]["N"])) for i in page["Items"]]
        self.assertEqual(sorted(parts), sorted(whole))

    def test_a_page_ends_at_a_megabyte(self):
        table = create(fresh("megabyte"), "N")
        for at in range(8):
            table.put_item(Item={"id": "big", "at": at, "data": "x" * 300_000})
        first = table.query(KeyConditionExpression=Key("id").eq("big"))
        self.assertIn("LastEvaluatedKey", first)
        self.assertEqual(first["Count"], 4)  # the item that crosses 1 MB is the page's last
        rest, start = 0, first["LastEvaluatedKey"]
        while start:
            page = table.query(KeyConditionExpression=Key("id").eq("big"), ExclusiveStartKey=start)
            rest, start = rest + page["Count"], page.get("LastEvaluatedKey")
        self.assertEqual(rest, 4)


class Transactions(Case):
    @classmethod
    def setUpClass(cls):
        cls.table = create(fresh("tx"))
        cls.other = create(fresh("tx"), "S")

    def action(self, kind, key, **more):
        return {kind: {"TableName": self.table.name, ("Item" if kind == "Put" else "Key"): {"id": {"S": key}}, **more}}

    def test_all_or_nothing_over_two_tables(self):
        client().transact_write_items(TransactItems=[
            self.action("Put", "t1"),
            {"Put": {"TableName": self.other.name, "Item": {"id": {"S": "t1"}, "at": {"S": "now"}}}}])
        refusal = self.refused("TransactionCanceledException", client().transact_write_items, TransactItems=[
            self.action("Put", "t2"),
            self.action("ConditionCheck", "t1", ConditionExpression="attribute_not_exists(id)",
                        ReturnValuesOnConditionCheckFailure="ALL_OLD"),
            {"Delete": {"TableName": self.other.name, "Key": {"id": {"S": "t1"}, "at": {"S": "now"}}}}])
        self.assertEqual([r["Code"] for r in refusal["CancellationReasons"]], ["None", "ConditionalCheckFailed", "None"])
        self.assertEqual(refusal["CancellationReasons"][1]["Item"], {"id": {"S": "t1"}})
        self.assertNotIn("Item", self.table.get_item(Key={"id": "t2"}))
        got = client().transact_get_items(TransactItems=[
            {"Get": {"TableName": self.table.name, "Key": {"id": {"S": "t1"}}}},
            {"Get": {"TableName": self.table.name, "Key": {"id": {"S": "t2"}}}},
            {"Get": {"TableName": self.other.name, "Key": {"id": {"S": "t1"}, "at": {"S": "now"}}}}])["Responses"]
        self.assertEqual([bool(r.get("Item")) for r in got], [True, False, True])

    def test_a_client_token_counts_once(self):
        token = uuid.uuid4().hex
        update = self.action("Update", "token", UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}})
        for _ in range(3):
            client().transact_write_items(TransactItems=[update], ClientRequestToken=token)
        self.assertEqual(self.table.get_item(Key={"id": "token"})["Item"]["n"], 1)
        self.refused("IdempotentParameterMismatchException", client().transact_write_items,
                     TransactItems=[update, self.action("Put", "else")], ClientRequestToken=token)

    def test_the_same_item_twice_is_refused(self):
        self.refused("ValidationException", client().transact_write_items,
                     TransactItems=[self.action("Put", "twice"), self.action("Delete", "twice")])
