"""DynamoDB's tables as scripted: conditions, batches, scans."""

import unittest

import server
from botocore.exceptions import ClientError


class Tables(unittest.TestCase):
    def setUp(self):
        self.aws = server.started()
        self.addCleanup(self.aws.stop)
        self.dynamodb = self.aws.client("dynamodb")
        self.dynamodb.create_table(
            TableName="leases", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}])

    def row(self, name, revision, value="v"):
        return {"name": {"S": name}, "revision": {"N": str(revision)}, "value": {"S": value}}

    def put(self, name, expected, **more):
        """As a lease store writes: if absent, or if the revision is the expected one."""
        if expected == 0:
            condition = {"ConditionExpression": "attribute_not_exists(#n)", "ExpressionAttributeNames": {"#n": "name"}}
        else:
            condition = {"ConditionExpression": "#r = :r", "ExpressionAttributeNames": {"#r": "revision"},
                         "ExpressionAttributeValues": {":r": {"N": str(expected)}}}
        return self.dynamodb.put_item(TableName="leases", Item=self.row(name, expected + 1), **condition, **more)

    def refused(self, expected, call, *arguments, **more):
        with self.assertRaises(ClientError) as raised:
            call(*arguments, **more)
        self.assertEqual(server.code(raised.exception), expected)
        return raised.exception

    def test_describe_and_create(self):
        table = self.dynamodb.describe_table(TableName="leases")["Table"]
        self.assertEqual(table["TableStatus"], "ACTIVE")
        self.assertEqual(table["KeySchema"], [{"AttributeName": "name", "KeyType": "HASH"}])
        self.assertNotIn("LatestStreamArn", table)
        self.refused("ResourceInUseException", self.dynamodb.create_table, TableName="leases",
                     KeySchema=table["KeySchema"], AttributeDefinitions=table["AttributeDefinitions"])
        self.refused("ResourceNotFoundException", self.dynamodb.describe_table, TableName="other")
        self.dynamodb.delete_table(TableName="leases")
        self.assertEqual(self.dynamodb.list_tables()["TableNames"], [])

    def test_conditions(self):
        self.put("root", 0)
        self.refused("ConditionalCheckFailedException", self.put, "root", 0)
        self.put("root", 1)
        error = self.refused("ConditionalCheckFailedException", self.put, "root", 1)
        self.assertNotIn("Item", error.response)
        both = {"ConditionExpression": "#r = :r AND attribute_not_exists(owner)", "ExpressionAttributeNames": {"#r": "revision"},
                "ExpressionAttributeValues": {":r": {"N": "2"}}}
        self.dynamodb.delete_item(TableName="leases", Key={"name": {"S": "root"}}, **both)
        self.refused("ConditionalCheckFailedException", self.dynamodb.delete_item, TableName="leases",
                     Key={"name": {"S": "root"}}, **both)
        self.assertNotIn("Item", self.dynamodb.get_item(TableName="leases", Key={"name": {"S": "root"}}))

    def test_what_is_not_read_is_refused(self):
        for expression in ("size(#n) > :r", "#n = :r OR #n = :r", "NOT attribute_exists(#n)", "#n < :r", "#n = ", "#other = :r"):
            self.refused("ValidationException", self.dynamodb.put_item, TableName="leases", Item=self.row("a", 1),
                         ConditionExpression=expression, ExpressionAttributeNames={"#n": "name"},
                         ExpressionAttributeValues={":r": {"S": "x"}})

    def test_a_batch_of_gets(self):
        for number in range(60):
            self.put(f"row{number}", 0)
        keys = [{"name": {"S": f"row{number}"}} for number in range(100)]
        answer = self.dynamodb.batch_get_item(RequestItems={"leases": {"Keys": keys, "ConsistentRead": True}})
        self.assertEqual(len(answer["Responses"]["leases"]), 60)
        self.assertEqual(answer["UnprocessedKeys"], {})
        self.aws.control("faults", kind="unprocessed", operation="BatchGetItem", count=1)
        answer = self.dynamodb.batch_get_item(RequestItems={"leases": {"Keys": keys}})
        self.assertEqual(len(answer["UnprocessedKeys"]["leases"]["Keys"]), 50)
        self.refused("ValidationException", self.dynamodb.batch_get_item,
                     RequestItems={"leases": {"Keys": keys + [{"name": {"S": "more"}}]}})

    def test_scans_with_a_filter_a_projection_and_pages(self):
        for number in range(50):
            self.put(f"worker/{number}", 0)
            self.put(f"shard/{number}", 0)
        found, pages, after = [], 0, {}
        while True:
            page = self.dynamodb.scan(TableName="leases", Limit=7, FilterExpression="begins_with(#n, :p)",
                                      ExpressionAttributeNames={"#n": "name"}, ProjectionExpression="#n, revision",
                                      ExpressionAttributeValues={":p": {"S": "shard/"}}, **after)
            self.assertLessEqual(page["ScannedCount"], 7)
            found += page["Items"]
            pages += 1
            if "LastEvaluatedKey" not in page:
                break
            after = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        self.assertEqual(pages, 15, "Limit counts what the filter takes away, too")
        self.assertEqual(sorted(item["name"]["S"] for item in found), sorted(f"shard/{number}" for number in range(50)))
        self.assertTrue(all(set(item) == {"name", "revision"} for item in found))

    def test_a_page_of_a_scan_is_1_mb(self):
        for number in range(30):
            self.dynamodb.put_item(TableName="leases", Item=self.row(f"row{number}", 1, "x" * 100_000))
        page = self.dynamodb.scan(TableName="leases")
        self.assertEqual((page["Count"], "LastEvaluatedKey" in page), (11, True))

    def test_an_authorization_header_must_be_there(self):
        status, _, body = self.aws.request("POST", "/", b"{}", {"X-Amz-Target": "DynamoDB_20120810.ListTables"})
        self.assertEqual(status, 400)
        self.assertIn(b"MissingAuthenticationTokenException", body)
