"""Every example under both profiles: what its README tells the reader to type, and then what is there."""

import json
import unittest

from blackbox import suite
from shared import Server, blocks, folder, wait_until

A_DAY_IN_TWENTY_SECONDS = ["--profile", "aws", "--time-scale", "4320"]  # as two of the READMEs have it


class Designs:
    """The tests of both profiles; all examples of one share its server."""

    options = []
    night_s = "2"
    lost_in_the_night = set()

    @classmethod
    def setUpClass(cls):
        with open(folder("insert-only/pawl.toml"), encoding="utf-8") as file:
            cls.server = Server(suite.current().cleanup, cls.options, file.read())
        suite.current().cleanup.add(cls.server).start()

    def read(self, name, count):
        """The README's commands: none that the test would not run."""
        found = blocks(name)
        self.assertEqual(len(found), count, "the README has other commands than this test knows")
        return found

    def run_block(self, name, text, status=0, **more):
        # On a busy machine objects come later than a reader would wait. Who finds no gap waits no longer.
        patience = {"CHECK_S": "120"} if status == 0 else {}
        ended, output = self.server.shell(name, text, **patience, **more)
        self.assertEqual(ended, status, output)
        return output

    def missing(self, table, bucket, prefix, name_of, first):
        """Names that the versions of the table's items should have, and the bucket lacks. What is there is what its name says."""
        found = self.server.objects(bucket, prefix)
        for name, content in found.items():
            self.assertEqual(name_of(json.loads(content)), name)
        wanted = set()
        for item in self.server.rows(table):
            newest = int(item["_version"]["N"])
            wanted |= {name_of({**item, "_version": {"N": str(version)}}) for version in range(first, newest + 1)}
        self.assertLessEqual(set(found), wanted)
        self.assertTrue(wanted)
        return wanted - set(found)

    def points_missing(self):
        return self.missing("points", "points-history", "logs/",
                            lambda image: f"logs/{image['hashid']['S']}-{image['_version']['N']}.log", 0)

    def purchases_missing(self):
        return self.missing("purchases", "purchases-history", "purchases/",
                            lambda image: f"purchases/{image['id']['S']}-{image['_version']['N']}.json", 1)

    def archived(self, table, key):
        """How many versions of the item Pawl's own archive has, whatever a function did."""
        done = self.server.run("history", self.server.archive, key, "--table", table, "--json")
        return len(json.loads(done.stdout)["versions"]) if done.returncode == 0 else 0

    def test_stream_function_bucket(self):
        first, night = self.read("stream-function-bucket", 2)
        output = self.run_block("stream-function-bucket", first)
        self.assertIn("A000005 is at version 2", output)
        self.assertIn("NO GAP", output)
        self.assertIn("put logs/A000001-0.log", output)
        self.assertEqual(self.points_missing(), set())
        endpoint_url, = self.read("", 1)
        self.assertIn("A000005-2.log", self.run_block("", endpoint_url))
        output = self.run_block("stream-function-bucket", night, status=1 if self.lost_in_the_night else 0, NIGHT_S=self.night_s)
        self.assertIn("GAPS: 2 versions missing" if self.lost_in_the_night else "NO GAP", output)
        self.assertEqual(self.points_missing(), self.lost_in_the_night)
        self.assertIn("logs/A000001-5.log", self.server.objects("points-history", "logs/A000001"))
        wait_until(lambda: self.archived("points", "A000001") == 6, what="Pawl's own six objects")

    def test_with_queue_check(self):
        first, stalled = self.read("with-queue-check", 2)
        output = self.run_block("with-queue-check", first)
        self.assertNotIn("other content", output)
        self.assertEqual(self.purchases_missing(), set())
        sqs = self.server.client("sqs")
        url = sqs.get_queue_url(QueueName="purchases-check")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="rubbish", DelaySeconds=0)
        output = self.run_block("with-queue-check", stalled)
        for number in (6, 7, 8):
            for version in (1, 2, 3):
                self.assertIn(f"purchases/P{number:05d}-{version}.json was missing: put back", output)
        self.assertIn("NO GAP", output)
        self.assertEqual(self.purchases_missing(), set())
        dead = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="purchases-dead")["QueueUrl"], MaxNumberOfMessages=10)
        self.assertEqual([message["Body"] for message in dead.get("Messages", [])], ["rubbish"])

    def test_insert_only(self):
        edits, refused = self.read("insert-only", 2)
        self.run_block("insert-only", edits)
        output = self.run_block("insert-only", refused)
        self.assertEqual(output.count("insert-only"), 2, output)
        rows = sorted(self.server.rows("edits"), key=lambda row: int(row["version"]["N"]))
        self.assertEqual([int(row["version"]["N"]) for row in rows], list(range(40)))
        words = [row["text"]["S"].split()[-1] for row in rows]
        self.assertEqual(set(words), {f"{editor}{number}" for editor in ("ann", "bob") for number in range(20)})

    def test_outbox(self):
        steps, = self.read("outbox", 1)
        output = self.run_block("outbox", steps)
        self.assertIn("A000001: 200 versions are in the bucket", output)
        self.assertIn("NO GAP", output)
        self.run_block("outbox", "pawl exec -- python3 monitor.py A000001 100 2")
        self.kill_relay()
        self.run_block("outbox", "pawl exec -- python3 relay.py A000001")
        item, = self.server.rows("hearts")
        self.assertEqual(item["version"]["N"], "299")
        rows = {int(row["version"]["N"]): row["bpm"]["N"] for row in self.server.rows("hearts-history")}
        objects = {row["version"]: row["bpm"] for row in map(json.loads, self.server.objects("hearts-history", "hearts/").values())}
        self.assertEqual(set(rows), set(range(300)))
        self.assertEqual({str(version): bpm for version, bpm in rows.items()}, objects)

    def kill_relay(self):
        """In the middle: it has put some objects, and not all."""
        s3 = self.server.client("s3")
        relay = self.server.spawn("outbox", "python3", "-c", RELAY_THAT_DIES)
        output = relay.communicate()[0]
        self.assertNotEqual(relay.returncode, 0, output)
        names = s3.list_objects_v2(Bucket="hearts-history", Prefix="hearts/")["KeyCount"]
        self.assertEqual(names, 250, output)

    @suite.alone
    def test_the_archive_of_all_of_them_verifies(self):
        self.assertEqual(self.server.stop(), 0, self.server.log_end())
        done = self.server.run("verify", self.server.archive)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


# relay.py as it stands, killed as it begins to put its 51st object.
RELAY_THAT_DIES = """
import os, signal, sys
import boto3.session
sys.path.insert(0, os.getcwd())
import relay
left, put = [50], relay.s3.put_object
def counted(**arguments):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return put(**arguments)
relay.s3.put_object = counted
relay.main("A000001")
"""


class UnderPawl(Designs, unittest.TestCase):
    maxDiff = None


class UnderAws(Designs, unittest.TestCase):
    maxDiff = None
    options = A_DAY_IN_TWENTY_SECONDS
    night_s = "23"
    lost_in_the_night = {"logs/A000001-3.log", "logs/A000001-4.log"}
