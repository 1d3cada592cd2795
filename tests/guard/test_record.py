"""`pawl guard record`: one worker and several, killed and paused, with the bucket's gateway stopped in between."""

import json
import random
import time
import unittest

import ceph
import shared
from guard_scene import GuardScene, Writers


def scene_of(**more):
    return GuardScene(shared.dynamodb.url, shared.ceph.url, **more)


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
        self.assertEqual(worker.stop(), 0, worker.log_end())
        status, report, text = scene.verify("--deep")
        self.assertEqual(status, 0, text)
        self.assertEqual(report["versions"], 26, text)
        bucket, prefix = scene.archive.removeprefix("s3://").split("/", 1)
        body = ceph.client(shared.ceph.url).get_object(Bucket=bucket, Key=f"{prefix}/logs/A000001-5.log")["Body"].read()
        self.assertEqual(json.loads(body)["new"]["_version"], {"N": "5"})
        self.assertEqual(json.loads(body)["old"]["_version"], {"N": "4"})

    def test_a_restart_goes_on_where_the_ledger_ends(self):
        scene = scene_of()
        for life in range(3):
            worker = scene.worker()
            for _ in range(10):
                scene.count("A")
            scene.wait_archived(10 * (life + 1))
            worker.kill()
        status, report, text = scene.verify("--deep")
        self.assertEqual((status, report["versions"]), (0, 30), text)

    def test_workers_killed_and_paused_lose_and_repeat_nothing(self):
        chance = random.Random(11)
        scene = scene_of()
        workers = [scene.worker() for _ in range(3)]
        writers = Writers(scene, 16, pause_s=0.02).start()
        for turn in range(6):
            time.sleep(3 + 3 * chance.random())
            victim = chance.randrange(len(workers))
            if turn % 2 == 0:
                workers[victim].kill()
                workers[victim].start()
            else:
                workers[victim].pause()
                time.sleep(7)  # others have fenced it by then
                workers[victim].go_on()
        written = writers.stop()
        scene.wait_archived(written)
        for worker in workers:
            self.assertEqual(worker.stop(), 0, worker.log_end())
        status, report, text = scene.verify("--deep")
        self.assertEqual(status, 0, text)
        self.assertEqual(report["versions"], written, text)

    def test_gateway_stopped_in_the_middle(self):
        scene = scene_of()
        worker = scene.worker()
        scene.count("A")
        scene.wait_archived(1)
        shared.ceph.gateway_stop()
        try:
            for _ in range(40):
                scene.count("A")
            time.sleep(6)
            self.assertIn("last trouble", worker.log_end())
        finally:
            shared.ceph.gateway_start()
        scene.wait_archived(41)
        self.assertEqual(worker.stop(), 0, worker.log_end())
        status, _, text = scene.verify("--deep")
        self.assertEqual(status, 0, text)


class Preflight(unittest.TestCase):
    def look(self, scene, *more):
        return scene.run(*scene.guard_command("--preflight", *more)[1:])

    def test_says_what_it_found_and_writes_nothing(self):
        scene = scene_of()
        done = self.look(scene, "--iam-policy")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for text in ("NEW_AND_OLD_IMAGES", "two readers", "USD", "dynamodb:GetRecords", "s3:PutObject", "taken"):
            self.assertIn(text, done.stdout)
        self.assertNotIn("pawl-guard-" + scene.table, scene.dynamodb.list_tables()["TableNames"])

    def test_refuses_what_would_lose_versions(self):
        for view, text in ((None, "enable it"), ("KEYS_ONLY", "NEW_AND_OLD_IMAGES"), ("OLD_IMAGE", "NEW_AND_OLD_IMAGES")):
            scene = scene_of(view=view)
            done = self.look(scene)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("REFUSED", done.stdout)
            self.assertIn(text, done.stdout)

    def test_an_unknown_table_says_so(self):
        scene = scene_of()
        scene.table = "no-such-table"
        done = self.look(scene)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("no-such-table", done.stderr)
