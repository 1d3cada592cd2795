"""A retry counts once: the same amz-sdk-invocation-id or client token, sent twice, also over a restart."""

import json
import unittest
import urllib.parse
import uuid

import boto3

from blackbox import suite
from blackbox.proxy import Proxy
from blackbox.raw_http import Connection
from test_boto3 import create, fresh


def connection():
    url = urllib.parse.urlsplit(suite.current().url)
    return Connection(url.hostname, url.port)


def add_one(table, key):
    return {"TableName": table, "Key": {"id": {"S": key}}, "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}}, "ReturnValues": "UPDATED_NEW"}


def sent(operation, body, invocation, attempt=1):
    """One attempt of one call, as an SDK sends it."""
    reply = connection().call(operation, body, [("amz-sdk-invocation-id", invocation),
                                                ("amz-sdk-request", f"attempt={attempt}; max=4")])
    return reply.status, reply.json()


class InvocationIds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        suite.current().require_pawl()  # DynamoDB Local counts twice
        cls.table = create(fresh("retry")).name

    def value(self, key):
        return connection().call("GetItem", {"TableName": self.table, "Key": {"id": {"S": key}}}).json()["Item"]["n"]["N"]

    def test_the_second_attempt_gets_the_first_answer(self):
        invocation, body = str(uuid.uuid4()), add_one(self.table, "once")
        first = sent("UpdateItem", body, invocation, 1)
        self.assertEqual(first, (200, {"Attributes": {"n": {"N": "1"}}}))
        sent("UpdateItem", body, str(uuid.uuid4()))  # somebody else's write between the two
        self.assertEqual(sent("UpdateItem", body, invocation, 2), first)
        self.assertEqual(self.value("once"), "2")

    def test_another_body_under_the_same_id_is_another_call(self):
        """The id is the caller's; what must never happen is that the second write silently vanishes."""
        invocation = str(uuid.uuid4())
        self.assertEqual(sent("UpdateItem", add_one(self.table, "x1"), invocation)[0], 200)
        status, document = sent("UpdateItem", add_one(self.table, "x2"), invocation)
        if status == 200:
            self.assertEqual(self.value("x2"), "1")
        else:
            self.assertTrue(document.get("message") or document.get("Message"))

    def test_a_failed_condition_is_remembered_too(self):
        invocation = str(uuid.uuid4())
        put = {"TableName": self.table, "Item": {"id": {"S": "cond"}}, "ConditionExpression": "attribute_not_exists(id)"}
        self.assertEqual(sent("PutItem", put, invocation)[0], 200)
        self.assertEqual(sent("PutItem", put, invocation, 2)[0], 200, "its own first attempt is no conflict")
        self.assertEqual(sent("PutItem", put, str(uuid.uuid4()))[0], 400)

    def test_over_a_restart(self):
        invocation, body = str(uuid.uuid4()), add_one(self.table, "restart")
        first = sent("UpdateItem", body, invocation)
        pawl = suite.current().pawl
        for way in (pawl.kill, pawl.stop):
            way()
            pawl.start()
            self.assertEqual(sent("UpdateItem", body, invocation, 2), first)
        self.assertEqual(self.value("restart"), "1")

    def test_batches_and_transactions(self):
        invocation = str(uuid.uuid4())
        body = {"TransactItems": [{"Update": {k: v for k, v in add_one(self.table, key).items() if k != "ReturnValues"}}
                                  for key in ("t1", "t2")]}
        for attempt in (1, 2):
            self.assertEqual(sent("TransactWriteItems", body, invocation, attempt)[0], 200)
        self.assertEqual((self.value("t1"), self.value("t2")), ("1", "1"))


class ClientTokens(unittest.TestCase):
    def test_over_a_restart(self):
        table = create(fresh("token")).name
        update = {k: v for k, v in add_one(table, "k").items() if k != "ReturnValues"}
        body = {"TransactItems": [{"Update": update}], "ClientRequestToken": uuid.uuid4().hex}
        self.assertEqual(connection().call("TransactWriteItems", body).status, 200)
        if suite.current().pawl:
            suite.current().pawl.kill()
            suite.current().pawl.start()
        self.assertEqual(connection().call("TransactWriteItems", body).status, 200)
        got = connection().call("GetItem", {"TableName": table, "Key": {"id": {"S": "k"}}}).json()
        self.assertEqual(got["Item"]["n"]["N"], "1")
        other = json.loads(json.dumps(body))
        other["TransactItems"][0]["Update"]["ExpressionAttributeValues"][":one"]["N"] = "5"
        refused = connection().call("TransactWriteItems", other)
        self.assertEqual((refused.status, refused.error_type()), (400, "IdempotentParameterMismatchException"))


class EveryOtherLost:
    """What the proxy does: it throws the first answer away, and every other one after it."""

    def __init__(self):
        self.lost, self.lose_next = 0, True

    def __call__(self, _, body):
        lose, self.lose_next = self.lose_next, not self.lose_next
        self.lost += lose
        return None if lose else body


class LostAnswers(unittest.TestCase):
    def test_boto3_s_own_retry_counts_once(self):
        """boto3 repeats by itself, with the same invocation id, what it has got no answer to."""
        suite.current().require_pawl()
        table = create(fresh("lossy")).name
        every_other = EveryOtherLost()
        proxy = Proxy(suite.current().pawl.port, every_other)
        lossy = boto3.client("dynamodb", endpoint_url=proxy.url)
        for expected in range(1, 6):
            answer = lossy.update_item(**add_one(table, "k"))
            self.assertEqual(answer["Attributes"], {"n": {"N": str(expected)}})
        self.assertGreaterEqual(every_other.lost, 5)
