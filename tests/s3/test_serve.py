"""The main job with the archive in a bucket of Ceph's gateway: recorded, proven, read, restored, over outages and kills."""

import json
import os
import threading
import time
import unittest

import ceph
import shared
from blackbox import suite
from blackbox.client_case import wait_until
from blackbox.raw_http import ConnectionLost
from bucket_scene import BucketScene


def stalled(status):
    return status if any(shard["state"] in ("stalled", "lagging") for shard in status["shards"]) else None


class Serve(unittest.TestCase):
    def test_record_verify_history_restore(self):
        scene = BucketScene(shared.ceph.url)
        scene.create("users")
        for number in range(60):
            scene.put("users", f"A{number:06}", _version={"N": "0"})
        for _ in range(5):
            scene.count("users", "A000001")
        scene.delete("users", "A000002")
        scene.put("users", "A000002", _version={"N": "0"})
        scene.caught_up(67)
        self.assertEqual(scene.pawl.stop(), 0, scene.pawl.log_end())
        # Started again on the same data, it goes on where the ledger ends.
        scene.start()
        scene.count("users", "A000001")
        scene.caught_up(68)
        scene.stop_clean(self, 60 + 5 + 2 + 1)
        done = scene.run("history", scene.archive, "A000001", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        versions = json.loads(done.stdout)["versions"]
        self.assertEqual([v["version"] for v in versions], list(range(7)))
        # The names are those of the template, to be read by any S3 client.
        bucket, prefix = scene.archive.removeprefix("s3://").split("/", 1)
        body = ceph.client(shared.ceph.url).get_object(Bucket=bucket, Key=f"{prefix}/logs/A000001-5.log")["Body"].read()
        self.assertEqual(json.loads(body)["new"]["_version"], {"N": "5"})
        # From the bucket alone.
        rebuilt = os.path.join(scene.directory, "rebuilt")
        done = scene.run("restore", scene.archive, "--data", rebuilt)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        again = BucketScene(shared.ceph.url, archive=scene.archive, data=rebuilt)
        self.assertEqual(again.get("users", "A000001")["_version"], {"N": "6"})
        again.count("users", "A000001")
        again.caught_up(69)
        again.stop_clean(self, 60 + 5 + 2 + 2)

    def test_damage_is_found(self):
        scene = BucketScene(shared.ceph.url)
        scene.create("users")
        for number in range(20):
            scene.put("users", f"A{number:06}", _version={"N": "0"})
        scene.caught_up(20)
        scene.stop_clean(self, 20)
        bucket, prefix = scene.archive.removeprefix("s3://").split("/", 1)
        s3 = ceph.client(shared.ceph.url)
        s3.delete_object(Bucket=bucket, Key=f"{prefix}/logs/A000003-0.log")
        body = s3.get_object(Bucket=bucket, Key=f"{prefix}/logs/A000004-0.log")["Body"].read()
        s3.put_object(Bucket=bucket, Key=f"{prefix}/logs/A000004-0.log", Body=body.replace(b"A000004", b"A000005"))
        status, report, text = scene.verify("--deep")
        self.assertEqual(status, 1, text)
        self.assertEqual(len(report["findings"]), 2, text)

    @suite.alone
    def test_gateway_stopped_in_the_middle(self):
        scene = BucketScene(shared.ceph.url)
        scene.create("users")
        scene.put("users", "A000001", _version={"N": "0"})
        scene.caught_up(1)
        shared.ceph.gateway_stop()
        try:
            for _ in range(50):
                scene.count("users", "A000001")
            # A page interval of a bucket is part of what a shard may take before it counts as stalled.
            status = wait_until(lambda: stalled(scene.pawl.status()), what="word of it")
        finally:
            shared.ceph.gateway_start()
        self.assertEqual(status["lag"], 50, status)
        scene.caught_up(51)
        scene.stop_clean(self, 51)

    def test_killed_while_it_archives(self):
        scene = BucketScene(shared.ceph.url)
        scene.create("users")
        acknowledged = 0
        for life in range(4):
            stop = threading.Event()
            killer = threading.Timer(0.5 + life * 0.4, lambda: (stop.set(), scene.pawl.kill()))
            killer.start()
            while not stop.is_set():
                try:
                    scene.count("users", f"K{acknowledged % 40:03}")
                except (ConnectionLost, OSError, AssertionError):
                    break  # a write without an answer may have been done: the ledger says at least what was acknowledged
                acknowledged += 1
            killer.join()
            scene.pawl.process.wait()
            scene.start()
        scene.caught_up(acknowledged)
        self.assertEqual(scene.pawl.stop(), 0, scene.pawl.log_end())
        status, report, text = scene.verify("--deep")
        self.assertEqual(status, 0, text)
        self.assertGreaterEqual(report["versions"], acknowledged)
        self.assertLessEqual(report["versions"], acknowledged + 4)

    def test_a_second_server_is_fenced_or_refused(self):
        scene = BucketScene(shared.ceph.url)
        scene.create("users")
        scene.put("users", "A", _version={"N": "0"})
        scene.caught_up(1)
        # Another data directory knows nothing of what is in the ledger: writes are refused until `pawl adopt`.
        other = BucketScene(shared.ceph.url, archive=scene.archive)
        reply = other.reply("PutItem", TableName="users", Item={"hashid": {"S": "B"}})
        self.assertNotEqual(reply.status, 200)
        self.assertIn("adopt", other.log())
        other.pawl.stop()
        scene.count("users", "A")
        scene.caught_up(2)
        scene.stop_clean(self, 2)
