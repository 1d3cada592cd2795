"""What `pawl guard record` finds before it starts, and refuses to start with: each refusal says what to do."""

import json
import threading
import time
import unittest
import uuid

import bucket_scene
import ceph
import server
import shared
from blackbox import suite
from botocore.exceptions import ClientError
from guard_scene import LocalScene, Scene


def local(**more):
    return LocalScene(shared.dynamodb.url, shared.ceph.url, **more)


def line(document, what):
    return next(line for line in document["lines"] if line["what"] == what)


class OnRealEngines(unittest.TestCase):
    def refused(self, scene, what, *texts, **environment):
        done = scene.preflight("--json", **environment)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual(document["verdict"], "refused")
        found = line(document, what)
        self.assertEqual(found["verdict"], "refused", document["lines"])
        for text in texts:
            self.assertIn(text, found["found"] + " " + found.get("to_do", ""))

    def test_says_what_it_found_and_records_nothing(self):
        scene = local()
        done = scene.preflight()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for text in ("NEW_AND_OLD_IMAGES", "serves two at most", "USD", "dynamodb:GetRecords", "s3:PutObject",
                     "meets names that are taken", "honours conditions", "1 open, 1 listed", "It can start."):
            self.assertIn(text, done.stdout)
        self.assertNotIn("pawl-guard-" + scene.table, scene.dynamodb.list_tables()["TableNames"])
        bucket, prefix = scene.archive.removeprefix("s3://").split("/", 1)
        there = ceph.client(shared.ceph.url).list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        self.assertEqual([entry["Key"] for entry in there], [prefix + "/.pawl/probe"])

    def test_streams_that_would_lose_versions(self):
        scene = local(view=None)
        self.refused(scene, "stream", "update-table", "StreamViewType=NEW_AND_OLD_IMAGES")
        started = scene.run(*scene.command()[1:])
        self.assertEqual(started.returncode, 1, started.stdout + started.stderr)
        self.assertIn("REFUSED", started.stdout)
        for view in ("KEYS_ONLY", "OLD_IMAGE"):
            self.refused(local(view=view), "view type", "NEW_AND_OLD_IMAGES")
        document = json.loads(local(view="NEW_IMAGE").preflight("--json").stdout)
        self.assertEqual((document["verdict"], line(document, "view type")["verdict"]), ("good", "note"))

    def test_names(self):
        document = json.loads(local(names=None).preflight("--json").stdout)
        self.assertEqual(line(document, "names")["verdict"], "good")
        document = json.loads(local(names="{hashid}.json").preflight("--json").stdout)
        self.assertIn("only the first has that name", line(document, "names")["found"])

    def test_what_it_can_not_look_at(self):
        scene = local()
        scene.table = "no-such-table"
        done = scene.preflight()
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("no-such-table", done.stderr)
        scene = local()
        scene.archive = "/a/folder"
        done = scene.preflight()
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("s3://BUCKET/PREFIX", done.stderr)

    def test_buckets_that_can_not_be_an_archive(self):
        scene = local()
        scene.archive = "s3://no-such-bucket/p"
        self.refused(scene, "archive", "aws s3 mb")
        scene = local()
        bucket, prefix = scene.archive.removeprefix("s3://").split("/", 1)
        ceph.client(shared.ceph.url).put_object(Bucket=bucket, Key=prefix + "/theirs", Body=b"x")
        self.refused(scene, "archive", "holds objects but is no archive")
        self.refused(local(), "archive", "SignatureDoesNotMatch", AWS_SECRET_ACCESS_KEY="wrong")

    def test_other_settings_than_the_first_worker_had(self):
        scene = local()
        worker = scene.worker()
        scene.count("A")
        scene.wait_archived(1)
        document = json.loads(scene.preflight("--json").stdout)
        self.assertEqual(document["workers"], 1)
        self.assertIn("reads already", line(document, "readers")["found"])
        self.assertIn("gone on with", line(document, "archive")["found"])
        self.assertEqual(worker.stop(), 0)
        scene.options = ["--name", "{hashid}/{_version}"]
        self.refused(scene, "archive", "other settings", NAMES_OF_THE_FIRST)

    def test_the_archive_of_a_server(self):
        scene = local()
        context = suite.current()
        pawl = context.cleanup.add(bucket_scene.BucketPawl(scene.binary, context.ports + 90, scene.directory, shared.ceph.url, scene.archive))
        pawl.start()
        self.assertEqual(pawl.stop(), 0, pawl.log_end())
        self.refused(scene, "archive", "archive of a `pawl serve`", "prefix of its own")


NAMES_OF_THE_FIRST = "logs/{hashid}-{_version}.log"


class Scripted(unittest.TestCase):
    """What no engine does here: deny, ignore conditions, count its readers."""

    def setUp(self):
        self.aws = server.started()
        self.addCleanup(self.aws.stop)
        self.aws.control("tables", table="users")
        self.aws.control("buckets", bucket="bucket")
        self.scene = Scene("users", f"s3://bucket/{uuid.uuid4().hex[:8]}", self.aws.url, self.aws.url)

    def verdict(self, what, *texts):
        found, status = self.found(what)
        for text in texts:
            self.assertIn(text, found["found"] + " " + found.get("to_do", ""))
        return found["verdict"], status

    def look(self, what, *texts):
        """The verdict, if it is told with these words."""
        found, status = self.found(what)
        return (found["verdict"], status) if all(text in found["found"] + " " + found.get("to_do", "") for text in texts) else None

    def found(self, what):
        done = self.scene.preflight("--json")
        self.assertIn(done.returncode, (0, 1), done.stdout + done.stderr)
        return line(json.loads(done.stdout), what), done.returncode

    def test_a_store_that_ignores_conditions(self):
        self.aws.control("faults", kind="ignore-conditions", operation="PutObject")
        self.assertEqual(self.verdict("archive", "ignores conditional requests", "Amazon S3, Ceph"), ("refused", 1))

    def test_an_engine_that_ignores_conditions(self):
        self.aws.control("faults", kind="ignore-conditions", operation="PutItem")
        done = self.scene.run(*self.scene.command()[1:])
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn("ignores conditions", done.stderr)

    def test_a_global_table(self):
        self.assertEqual([found for found in json.loads(self.scene.preflight("--json").stdout)["lines"]
                          if found["what"] == "global table"], [])
        self.aws.control("tables", table="users", replica="eu-west-1")
        self.assertEqual(self.verdict("global table", "eu-west-1", "one reader", "guard it in one region"), ("note", 0))

    def test_denied_permissions(self):
        for operation, what, text in (("DescribeStream", "shards", "dynamodb:DescribeStream"),
                                      ("GetShardIterator", "readers", "dynamodb:GetShardIterator"),
                                      ("GetRecords", "readers", "dynamodb:GetRecords"),
                                      ("PutObject", "archive", "s3:PutObject")):
            code = "AccessDenied" if operation == "PutObject" else "AccessDeniedException"
            status = 403 if operation == "PutObject" else 400
            self.aws.control("faults", kind="error", status=status, code=code, operation=operation)
            with self.subTest(operation):
                self.assertEqual(self.verdict(what, text), ("refused", 1))
            self.aws.control("reset", what="faults")
        self.aws.control("faults", kind="error", status=400, code="AccessDeniedException", operation="DescribeTable")
        done = self.scene.preflight()
        self.assertEqual(done.returncode, 2)
        self.assertIn("dynamodb:DescribeTable", done.stdout + done.stderr)

    def test_a_third_reader(self):
        streams, reads = [self.aws.client("dynamodbstreams") for _ in range(2)], [0, 0]
        facts, done = self.aws.asked("streams/users"), threading.Event()

        def read(number):
            client = streams[number]
            iterator = client.get_shard_iterator(StreamArn=facts["stream"], ShardId=facts["shards"][0]["id"],
                                                 ShardIteratorType="LATEST")["ShardIterator"]
            while not done.is_set():
                try:
                    iterator = client.get_records(ShardIterator=iterator)["NextShardIterator"]
                    reads[number] += 1
                except ClientError:  # throttled, while the last look counts as a reader
                    pass
                time.sleep(0.05)

        def is_told(verdict, *texts):
            # Who has read in the last second is a reader: on a busy machine one may have to look again.
            self.scene.wait_until(verdict, lambda: self.look("readers", *texts) == verdict)

        self.addCleanup(done.set)
        readers = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(2)]
        readers[0].start()
        self.scene.wait_until("one reads", lambda: reads[0] > 0)
        is_told(("note", 0), "room for one more", "list-event-source-mappings")
        readers[1].start()
        self.scene.wait_until("two read", lambda: reads[1] > 0)
        is_told(("refused", 1), "no room for one more", "two readers at most")
        done.set()
        for reader in readers:
            reader.join()
