"""The server under test, its one table of victims, and the question whether it still lives."""

import json
import unittest
import urllib.parse

from blackbox import suite
from blackbox.raw_http import DUMMY_AUTHORIZATION, Connection, exchange, status_of

TABLE = "victims"


def address():
    url = urllib.parse.urlsplit(suite.current().url)
    return url.hostname, url.port


def connection():
    return Connection(*address())


def request(body=b"{}", target="DynamoDB_20120810.ListTables", extra=b"", method=b"POST", signed=True, host=None,
            content_type=b"application/x-amz-json-1.0", length=None):
    """The bytes of a request; parts can be left out or made wrong."""
    if host is None:
        host = ("%s:%d" % address()).encode()
    lines = [method + b" / HTTP/1.1", b"Host: " + host]
    if content_type is not None:
        lines.append(b"Content-Type: " + content_type)
    if target is not None:
        lines.append(b"X-Amz-Target: " + target.encode())
    if signed:
        lines.append(b"Authorization: " + DUMMY_AUTHORIZATION.encode())
    if length is None:
        lines.append(b"Content-Length: %d" % len(body))
    elif length is not False:
        lines.append(b"Content-Length: " + length)
    return b"\r\n".join(lines) + b"\r\n" + extra + b"\r\n" + body


class HostileCase(unittest.TestCase):
    """Before: a table and an item. After each test: the server still answers, with that item as it was."""

    KEEPSAKE = {"id": {"S": "keepsake"}, "n": {"N": "42"}}

    @classmethod
    def setUpClass(cls):
        lead = connection()
        if lead.call("DescribeTable", {"TableName": TABLE}).status != 200:
            create_table(lead, TABLE, "id")
        assert lead.call("PutItem", {"TableName": TABLE, "Item": cls.KEEPSAKE}).status == 200

    def tearDown(self):
        reply = connection().call("GetItem", {"TableName": TABLE, "Key": {"id": {"S": "keepsake"}}})
        self.assertEqual(reply.status, 200, "the server no longer answers")
        self.assertEqual(reply.json()["Item"], self.KEEPSAKE)

    def refused(self, data, statuses, **more):
        """The bytes must be answered with one of `statuses`, or (0 among them) by closing the connection."""
        received, closed = exchange(*address(), data, **more)
        status = status_of(received)
        self.assertIn(status, statuses, f"{data[:120]!r}… got {received[:300]!r} closed={closed}")
        if status == 0:
            self.assertTrue(closed, "neither an answer nor a close")
        return received

    def error(self, operation, body, names, status=400):
        """The call must be refused with one of the exception names and a message that says something."""
        reply = connection().call(operation, body)
        shown = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.assertEqual((reply.status, reply.error_type() in names), (status, True),
                         f"{operation} {shown[:200]!r}: {reply.status} {reply.body[:300]!r}")
        self.assertGreaterEqual(len(reply.message()), 10, f"{operation}: no message in {reply.body[:200]!r}")
        return reply


def create_table(lead, name, key):
    reply = lead.call("CreateTable", {"TableName": name, "BillingMode": "PAY_PER_REQUEST",
                                      "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
                                      "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}]})
    assert reply.status == 200, reply.body
