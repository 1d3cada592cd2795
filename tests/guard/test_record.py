"""`pawl guard record` on DynamoDB Local and Ceph's gateway: one worker and several, killed and paused, and the gateway
stopped in between."""

import json
import time
import unittest

import ceph
import shared
from blackbox import suite
from guard_scene import LocalScene, Writers

TAKEN_OVER_WITHIN_S = 40.0  # six seconds on a quiet machine: a lease of five, and a look


def scene_of(**more):
    return LocalScene(shared.dynamodb.url, shared.ceph.url, **more)


class Record(unittest.TestCase):
    def test_every_change_is_recorded(self):
        scene = scene_of()
        worker = scene.worker()
        for number in range(20):
            scene.count(f"A{number:06}")
        for _ in range(4):
            scene.count("A000001")
        scene.remove("A000002")
        scene.count("A000002")  # counts from 1 again: its name is taken
        scene.wait_archived(26)
        scene.wait_until("a status line", lambda: "26 changes in the ledger" in worker.status() and "lag below 3 s" in worker.status())
        self.assertIn("1 change whose name was taken", worker.status())
        self.assertIn("(root): 1 shard,", worker.status())
        scene.check_sound(self, 26)
        self.assertEqual([name for name in scene.lease_rows() if name.startswith("worker/")], [])
        bucket, prefix = scene.archive.removeprefix("s3://").split("/", 1)
        store = ceph.client(shared.ceph.url)
        body = json.loads(store.get_object(Bucket=bucket, Key=f"{prefix}/logs/A000001-5.log")["Body"].read())
        self.assertEqual((body["new"]["_version"], body["old"]["_version"], body["version"]), ({"N": "5"}, {"N": "4"}, 5))
        names = [entry["Key"].removeprefix(prefix + "/") for entry in
                 store.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/logs/A000002")["Contents"]]
        self.assertEqual(len(names), 3)  # inserted, removed, inserted again under another name
        self.assertIn("logs/A000002-1.log", names)
        self.assertTrue(any(name.startswith("logs/A000002-1.log~") for name in names), names)

    def test_a_history_from_before_and_a_restart(self):
        """The stream still holds what was written before there was a guard; after a kill -9 the ledger is the checkpoint."""
        scene = scene_of(names=None, version_attribute=None)
        for _ in range(30):
            scene.count("A")
        worker = scene.worker()
        scene.wait_archived(30)
        worker.kill()
        for _ in range(10):
            scene.count("A")
        scene.worker()
        scene.wait_archived(40)
        scene.check_sound(self, 40)

    def test_workers_killed_and_paused_lose_and_repeat_nothing(self):
        scene = scene_of()
        scene.worker(), scene.worker()
        writers = Writers(scene, 8, pause_s=0.05).start()
        dead, worker = scene.reading_worker()
        worker.kill()
        scene.wait_until("the other reads", lambda: scene.reader() not in ("", dead), TAKEN_OVER_WITHIN_S)
        third = scene.worker()  # at work before the pause: its own start is no part of the time that taking over may take
        scene.wait_until("the third is at work", lambda: third.status() != "")
        paused_id, paused = scene.reading_worker(other_than=dead)
        paused.pause()
        scene.wait_until("a third reads", lambda: scene.reader() not in ("", paused_id), TAKEN_OVER_WITHIN_S)
        paused.go_on()
        time.sleep(2)
        written = writers.stop()
        scene.wait_archived(written)
        scene.check_sound(self, written)
        rows = scene.lease_rows()
        self.assertNotIn(f"worker/{dead}", rows)
        self.assertNotIn(f"worker/{paused_id}", rows)

    @suite.alone
    def test_gateway_stopped_in_the_middle(self):
        scene = scene_of()
        worker = scene.worker()
        scene.count("A")
        scene.wait_archived(1)
        shared.ceph.gateway_stop()
        try:
            for _ in range(40):
                scene.count("A")
            scene.wait_until("trouble is told", lambda: "last trouble" in worker.status())
            scene.wait_until("what is left is told", lambda: "left until records may be trimmed" in worker.status())
            self.assertIn("read and not yet in it", worker.status())
        finally:
            shared.ceph.gateway_start()
        scene.wait_archived(41)
        scene.check_sound(self, 41)

    @suite.alone
    def test_a_worker_ends_although_the_gateway_is_gone(self):
        scene = scene_of()
        worker = scene.worker()
        scene.count("A")
        scene.wait_archived(1)
        shared.ceph.gateway_stop()
        try:
            scene.count("A")
            time.sleep(2)
            began = time.monotonic()
            self.assertEqual(worker.stop(), 0, worker.log_end())
            self.assertLess(time.monotonic() - began, 60)
        finally:
            shared.ceph.gateway_start()
        scene.worker()
        scene.wait_archived(2)
        scene.check_sound(self, 2)
