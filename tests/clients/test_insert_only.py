"""A table with writes = "insert-only", as boto3 meets it: (hashid, version) once, and for good."""

import unittest

import boto3
from botocore.exceptions import ClientError

from blackbox import servers, suite

CONFIG = '[tables.visits]\nwrites = "insert-only"\n'
UPDATE = {"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"S": "b"}}}
MESSAGE = "table visits is insert-only"


class InsertOnly(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        context = suite.current()
        context.require_binary()
        cls.pawl = context.cleanup.add(servers.Pawl(context.binary, context.ports, context.cleanup.directory(), CONFIG)).start()
        cls.client = boto3.client("dynamodb", endpoint_url=cls.pawl.url)
        for name in ("visits", "others"):
            cls.client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST",
                                    KeySchema=[{"AttributeName": "hashid", "KeyType": "HASH"}, {"AttributeName": "version", "KeyType": "RANGE"}],
                                    AttributeDefinitions=[{"AttributeName": "hashid", "AttributeType": "S"},
                                                          {"AttributeName": "version", "AttributeType": "N"}])

    def key(self, version, hashid="A1"):
        return {"hashid": {"S": hashid}, "version": {"N": str(version)}}

    def item(self, version, text, hashid="A1"):
        return {**self.key(version, hashid), "text": {"S": text}}

    def refused(self, call, code="ConditionalCheckFailedException", **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response

    def test_versions_are_there_for_good(self):
        for version in range(100):
            self.client.put_item(TableName="visits", Item=self.item(version, f"v{version}"))
        put = lambda text: self.client.put_item(TableName="visits", Item=self.item(7, text))
        put("v7")  # a retry
        for call, arguments in ((self.client.put_item, dict(Item=self.item(7, "other"))),
                                (self.client.update_item, dict(Key=self.key(7), **UPDATE)),
                                (self.client.update_item, dict(Key=self.key(200), **UPDATE)),
                                (self.client.delete_item, dict(Key=self.key(7)))):
            response = self.refused(call, TableName="visits", **arguments)
            self.assertIn(MESSAGE, response["Error"]["Message"])
        for request in ({"PutRequest": {"Item": self.item(8, "other")}}, {"DeleteRequest": {"Key": self.key(8)}}):
            new = {"PutRequest": {"Item": self.item(300, "new")}}
            response = self.refused(self.client.batch_write_item, RequestItems={"visits": [new, request]})
            self.assertIn(MESSAGE, response["Error"]["Message"])
        for action in ({"Put": {"TableName": "visits", "Item": self.item(8, "other")}}, {"Delete": {"TableName": "visits", "Key": self.key(8)}},
                       {"Update": {"TableName": "visits", "Key": self.key(8), **UPDATE}}):
            response = self.refused(self.client.transact_write_items, "TransactionCanceledException",
                                    TransactItems=[{"Put": {"TableName": "others", "Item": self.item(1, "x")}}, action])
            self.assertEqual([r["Code"] for r in response["CancellationReasons"]], ["None", "ConditionalCheckFailed"])
            self.assertIn(MESSAGE, response["CancellationReasons"][1]["Message"])
        self.assertNotIn("Item", self.client.get_item(TableName="others", Key=self.key(1)))
        self.pawl.kill()
        self.pawl.start()
        self.refused(self.client.delete_item, TableName="visits", Key=self.key(7))
        found = self.client.query(TableName="visits", KeyConditionExpression="hashid = :h", ExpressionAttributeValues={":h": {"S": "A1"}})["Items"]
        self.assertEqual([i["text"]["S"] for i in found], [f"v{version}" for version in range(100)])

    def test_other_tables_are_as_ever(self):
        self.client.put_item(TableName="others", Item=self.item(5, "a"))
        self.client.put_item(TableName="others", Item=self.item(5, "b"))
        self.client.delete_item(TableName="others", Key=self.key(5))
