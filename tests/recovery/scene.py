"""A server of the test's own, the article's table, and a way to wait for the archive."""

import json
import os
import time
import unittest

from blackbox import archive_reader, servers, suite
from blackbox.raw_http import Connection

CONFIG = """
[tables.users]
names = "logs/{hashid}-{_version}.log"
partitions = 2
[tables.unrecorded]
record = false
"""
CATCH_UP_S = 180.0


class Scene:
    """A Pawl on a fresh directory, with calls that must succeed."""

    def __init__(self, archive=None, directory=None, config=CONFIG):
        context = suite.current()
        self.directory = directory or context.cleanup.directory()
        self.pawl = context.cleanup.add(servers.Pawl(context.require_binary(), context.ports + 10, self.directory, config, archive))
        self.pawl.start()
        self.connection = Connection("127.0.0.1", self.pawl.port)

    def reply(self, operation, **body):
        return self.connection.call(operation, body)

    def call(self, operation, **body):
        reply = self.reply(operation, **body)
        if reply.status != 200:
            raise AssertionError(f"{operation} {json.dumps(body)[:200]}: {reply.status} {reply.body[:400]!r}")
        return reply.json()

    def create(self, table, key="hashid"):
        self.call("CreateTable", TableName=table, BillingMode="PAY_PER_REQUEST",
                  KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                  AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}])

    def put(self, table, key, **attributes):
        self.call("PutItem", TableName=table, Item={"hashid": {"S": key}, **attributes})

    def count(self, table, key):
        """The article's atomic counter; returns its new value."""
        return int(self.call("UpdateItem", TableName=table, Key={"hashid": {"S": key}}, UpdateExpression="ADD #v :one",
                             ExpressionAttributeNames={"#v": "_version"}, ExpressionAttributeValues={":one": {"N": "1"}},
                             ReturnValues="UPDATED_NEW")["Attributes"]["_version"]["N"])

    def delete(self, table, key):
        self.call("DeleteItem", TableName=table, Key={"hashid": {"S": key}})

    def get(self, table, key):
        return self.call("GetItem", TableName=table, Key={"hashid": {"S": key}}).get("Item")

    def objects(self, table, count):
        """The table's objects, once there are at least `count`; an AssertionError if that takes too long."""
        deadline = time.monotonic() + CATCH_UP_S
        while True:
            found = archive_reader.by_table(archive_reader.read_objects(self.pawl.archive)).get(table, [])
            if len(found) >= count:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(found)} of {count} objects of {table} after {CATCH_UP_S:.0f} s; status: {self.pawl.status()}")
            time.sleep(0.1)

    def status_text(self):
        done = self.pawl.run("status", "--endpoint", self.pawl.url, "--json")
        return done.returncode, done.stdout + done.stderr

    def verify(self, *more, archive=None):
        """(exit status, the JSON report, all text)."""
        done = self.pawl.run("verify", archive or self.pawl.archive, "--json", *more)
        try:
            return done.returncode, json.loads(done.stdout), done.stdout + done.stderr
        except ValueError:
            return done.returncode, None, done.stdout + done.stderr

    def root_events(self):
        """Every event of the ledger's root chain, as documented in docs/internals/archive-format.md."""
        events, folder = [], os.path.join(self.pawl.archive, ".pawl", "ledger", "root")
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                events += [json.loads(line.split(" ", 2)[2])["event"] for line in file if line.endswith("\n")]
        return events


class SceneCase(unittest.TestCase):
    def clean(self, scene, versions=None):
        """Stops the server; the archive must verify, deep, with that many versions."""
        self.assertEqual(scene.pawl.stop(), 0, scene.pawl.log_end())
        status, report, text = scene.verify("--deep")
        self.assertEqual(status, 0, text)
        if versions is not None:
            self.assertEqual(report["versions"], versions, text)
