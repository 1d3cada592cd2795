"""`pawl gaps --table`: a bucket's names against the table and its stream, on DynamoDB Local."""

import json
import os
import subprocess
import sys
import threading
import unittest
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "s3"))

from blackbox import servers, suite
from scripted_store import ScriptedStore

ALLOWED = {"DescribeTable", "Scan", "DescribeStream", "GetShardIterator", "GetRecords"}


class Recorder:
    """Passes requests on, and remembers which operations they were."""

    def __init__(self, port, url):
        recorder = self
        self.operations, self.url = [], f"http://127.0.0.1:{port}"

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                recorder.operations.append(self.headers["X-Amz-Target"].rpartition(".")[2])
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "content-length")}
                try:
                    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as reply:
                        status, answer, names = reply.status, reply.read(), reply.headers
                except urllib.error.HTTPError as error:
                    status, answer, names = error.code, error.read(), error.headers
                self.send_response(status)
                if "x-amz-crc32" in names:
                    self.send_header("x-amz-crc32", names["x-amz-crc32"])
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Table(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        context = suite.current()
        engine = context.url or context.cleanup.add(servers.DynamoDbLocal(context.ports + 60)).url
        cls.recorder = context.cleanup.add(Recorder(servers.free_port(context.ports + 50), engine))
        cls.store = context.cleanup.add(ScriptedStore(servers.free_port(context.ports + 55)))
        cls.api = boto3.client("dynamodb", endpoint_url=engine)
        cls.make("users", {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
        for key, versions in (("A", 5), ("B", 4), ("C", 1), ("E", 0)):
            for version in range(versions + 1):
                cls.api.put_item(TableName="users", Item={"hashid": {"S": key}, "_version": {"N": str(version)}, "name": {"S": "山田"}})
        cls.api.put_item(TableName="users", Item={"hashid": {"S": "F"}})
        for version in range(3):
            cls.api.put_item(TableName="users", Item={"hashid": {"S": "G"}, "_version": {"N": str(version)}})
        cls.api.delete_item(TableName="users", Key={"hashid": {"S": "G"}})
        for key, versions in {"A": (0, 1, 2, 5), "B": (0, 1, 2), "D": (0, 2), "E": (0, 1), "G": (0, 1, 3)}.items():
            for version in versions:
                cls.store.objects[f"logs/{key}-{version}.log"] = (b"{}", '"x"')

    @classmethod
    def make(cls, name, stream=None):
        more = {"StreamSpecification": stream} if stream else {}
        cls.api.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "hashid", "KeyType": "HASH"}],
                             AttributeDefinitions=[{"AttributeName": "hashid", "AttributeType": "S"}], **more)

    def gaps(self, *more, table="users"):
        self.recorder.operations.clear()
        return subprocess.run([suite.current().require_binary(), "gaps", "s3://bucket", "--name", "logs/{hashid}-{_version}.log", "--table", table,
                               "--s3-endpoint", self.store.url, "--dynamodb-endpoint", self.recorder.url, *more], capture_output=True,
                              text=True, timeout=120, check=False)

    def found(self, *more, table="users"):
        done = self.gaps("--json", *more, table=table)
        self.assertEqual(done.returncode, 1, done.stderr)
        document = json.loads(done.stdout)
        return document, {(h["item"], h["kind"], h["from"], h["to"]): h["recovery"] for h in document["gaps"]}

    def test_holes_and_where_their_versions_are(self):
        document, holes = self.found()
        self.assertEqual(set(holes), {("A", "between", 3, 4), ("B", "tail", 3, 4), ("C", "no-object", 0, 1), ("D", "between", 1, 1),
                                      ("G", "between", 2, 2)})
        ways = {(hole[0], way["from"], way["source"]) for hole, recovery in holes.items() for way in recovery}
        self.assertEqual(ways, {("A", 3, "stream"), ("A", 3, "old-image"), ("A", 4, "stream"), ("A", 4, "old-image"), ("B", 3, "stream"),
                                ("B", 3, "old-image"), ("B", 4, "stream"), ("B", 4, "table"), ("C", 0, "stream"), ("C", 0, "old-image"),
                                ("C", 1, "stream"), ("C", 1, "table"), ("G", 2, "stream"), ("G", 2, "old-image")})
        for way in (way for recovery in holes.values() for way in recovery):
            self.assertEqual("until" in way, way["source"] != "table")
        table = document["table"]
        self.assertEqual((table["items"], table["unnamed"], table["no_object"], table["only_in_bucket"], table["behind"]), (4, 1, 1, 2, 1))
        self.assertTrue(table["stream"]["read"])
        self.assertEqual(set(self.recorder.operations), ALLOWED)

    def test_text_for_people(self):
        done = self.gaps()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("counts as one of at most two readers", done.stderr)
        self.assertRegex(done.stdout, r"A: 3-4 missing; 3 is in the stream until \S+Z, in the next change's old image until \S+Z; 4 is")
        self.assertRegex(done.stdout, r"B: 3-4 missing, the newest; 3 is .*; 4 is in the stream until \S+Z, in the table until its next write")
        self.assertIn("D: 1 missing; not recoverable from here", done.stdout)

    def test_without_the_stream(self):
        document, holes = self.found("--no-stream")
        self.assertEqual([way["source"] for way in holes["B", "tail", 3, 4]], ["table"])
        self.assertEqual(document["table"]["stream"]["why_not"], "--no-stream")
        self.assertEqual(set(self.recorder.operations), {"DescribeTable", "Scan"})
        self.make("plain")
        document, _ = self.found(table="plain")
        self.assertEqual(document["table"]["stream"], {"read": False, "why_not": "the table has none"})

    def test_what_to_do(self):
        done = self.gaps(table="nobody")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nobody", done.stderr)
        done = self.gaps("--version-attribute", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn("has no {x}", done.stderr)
