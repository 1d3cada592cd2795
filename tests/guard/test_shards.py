"""Shards that come and go, records that are gone, stores that fail: `pawl guard record` on the scripted server."""

import re
import threading
import time
import unittest
import uuid

import server
from guard_scene import Scene

TAKEN_OVER_WITHIN_S = 40.0  # six seconds on a quiet machine: a lease of five, and a look


class ScriptedScene(Scene):
    """Counts items up, and remembers how many changes it made."""

    def __init__(self, aws, **more):
        aws.control("settings", describes_per_s=0)
        aws.control("tables", table="users", **more)
        aws.control("buckets", bucket="bucket")
        super().__init__("users", f"s3://bucket/{uuid.uuid4().hex[:8]}", aws.url, aws.url)
        self.aws, self.versions, self.changes = aws, {}, 0

    def count(self, *items, **more):
        for item in items:
            self.versions[item] = self.versions.get(item, -1) + 1
            self.aws.control("write", table="users", item={"hashid": {"S": item}, "_version": {"N": str(self.versions[item])}}, **more)
            self.changes += 1

    def shards(self):
        return self.aws.asked("streams/users")["shards"]

    def open_shards(self):
        return [shard["id"] for shard in self.shards() if not shard["closed"]]

    def wait_drained(self, **more):
        self.wait_archived(self.changes, **more)


class Shards(unittest.TestCase):
    def setUp(self):
        self.aws = server.started()
        self.addCleanup(self.aws.stop)

    def scene(self, **more):
        return ScriptedScene(self.aws, **more)

    def test_roll_overs_and_splits(self):
        scene = self.scene(shards=2)
        items = [f"A{number}" for number in range(10)]
        scene.worker(), scene.worker()
        for turn in range(6):
            scene.count(*items)
            if turn % 2 == 0:
                self.aws.control("roll-over", table="users", shard=scene.open_shards()[0])
            else:
                self.aws.control("split", table="users", shard=scene.open_shards()[-1])
            time.sleep(0.3)
        scene.count(*items)
        scene.wait_drained()
        self.assertGreaterEqual(len(scene.shards()), 11)
        scene.check_sound(self, scene.changes)

    def test_a_trimmed_position_is_a_gap_that_is_entered(self):
        scene = self.scene()
        worker = scene.worker()
        scene.count("A", "A", "B")
        scene.wait_drained()
        worker.kill()
        scene.count("A", "A", "A")
        self.aws.control("trim", table="users", shard=scene.open_shards()[0])
        scene.count("A", "B")
        worker = scene.worker()
        scene.wait_archived(5)
        scene.wait_until("the gap is told", lambda: "1 gap entered" in worker.status())
        report = scene.check_sound(self, 5, gaps=1)
        self.assertEqual((report["known_gaps"][0]["sequence"], "after" in report["known_gaps"][0]), (4, True))

    def test_a_gap_at_a_shards_end(self):
        scene = self.scene()
        worker = scene.worker()
        scene.count("A", "A")
        scene.wait_drained()
        worker.kill()
        scene.count("A", "A")
        self.aws.control("trim", table="users", shard=scene.open_shards()[0])
        self.aws.control("roll-over", table="users", shard=scene.open_shards()[0])
        scene.count("A")
        scene.worker()
        scene.wait_archived(3)
        report = scene.check_sound(self, 3, gaps=1)
        self.assertNotIn("before", report["known_gaps"][0])

    def test_a_shard_that_vanishes_ends_with_a_gap(self):
        """A minute long: so long a reader looks for it."""
        scene = self.scene()
        worker = scene.worker()
        scene.count("A", "A")
        scene.wait_drained()
        worker.kill()
        scene.count("A")
        shard = scene.open_shards()[0]
        self.aws.control("roll-over", table="users", shard=shard)
        self.aws.control("forget", table="users", shard=shard)
        scene.count("A")
        scene.worker()
        scene.wait_archived(3)
        report = scene.check_sound(self, 3, gaps=1)
        self.assertNotIn("before", report["known_gaps"][0])

    def test_who_is_throttled_comes_again(self):
        scene = self.scene(shards=2)
        scene.worker()
        scene.count("A", "B", "C", "D")
        scene.wait_drained()
        self.aws.control("faults", kind="throttle", operation="GetRecords", count=3)
        scene.count("A", "B", "C", "D")
        scene.wait_drained()
        scene.check_sound(self, 8)

    def test_a_stream_that_is_disabled_and_enabled_again(self):
        scene = self.scene(shards=2)
        scene.worker()
        scene.count("A", "B", "C")
        scene.wait_drained()
        self.aws.control("stream", table="users", enabled=False)
        self.aws.control("stream", table="users", enabled=True, shards=2)
        scene.count("A", "B", "C")
        scene.wait_drained()
        self.assertEqual(scene.check_sound(self, 6, gaps=2)["known_gaps"][0]["sequence"], 0)

    def test_whatever_fails_is_done_once(self):
        scene = self.scene(shards=3)
        faults = [("500-applied", "PutObject", 0.1), ("500-not-applied", "PutObject", 0.1), ("503", "PutObject", 0.05), ("409", "PutObject", 0.05),
                  ("drop-after", "PutObject", 0.05), ("500-not-applied", "GetObject", 0.1), ("throttle", "GetRecords", 0.1),
                  ("drop-before", "GetRecords", 0.05), ("500-applied", "PutItem", 0.1), ("drop-after", "PutItem", 0.05)]
        scene.worker(), scene.worker()
        scene.wait_until("both are at work", lambda: all("worker" in worker.status() for worker in scene.workers))
        for seed, (kind, operation, probability) in enumerate(faults):
            self.aws.control("faults", kind=kind, operation=operation, probability=probability, seed=seed)
        self.aws.control("faults", kind="error", status=400, code="ExpiredIteratorException", operation="GetRecords", probability=0.05, seed=99)
        for _ in range(40):
            scene.count(*(f"A{number}" for number in range(8)))
        scene.wait_until("enough has failed", lambda: sum(rule["fired"] for rule in self.aws.asked("faults")["faults"]) > 60)
        self.aws.control("reset", what="faults")
        scene.wait_drained()
        scene.check_sound(self, scene.changes)
        self.assertEqual([put for put in self.aws.asked("puts/bucket?overwritten=1")["puts"] if not put["key"].endswith("/probe")], [])


class Workers(unittest.TestCase):
    def setUp(self):
        self.aws = server.started()
        self.addCleanup(self.aws.stop)

    def test_shards_are_shared_and_taken_over(self):
        scene = ScriptedScene(self.aws, shards=6)
        workers = [scene.worker() for _ in range(3)]

        def held():
            return [int((re.search(r": (\d+) shard", worker.status()) or [0, "0"])[1]) for worker in workers if worker.process.poll() is None]

        scene.wait_until("each has its share", lambda: held() == [2, 2, 2])
        workers[0].kill()
        scene.count(*(f"A{number}" for number in range(30)))
        scene.wait_drained(timeout_s=TAKEN_OVER_WITHIN_S)
        scene.wait_until("the others say so", lambda: held() == [3, 3])
        scene.check_sound(self, 30)

    def test_an_archive_that_another_makes_between_two_looks_is_one(self):
        """The first look finds none, as if it had come before; the second is the list, which shows that there is something."""
        scene = ScriptedScene(self.aws)
        scene.worker()
        scene.count("A")
        scene.wait_drained()
        self.aws.control("faults", kind="error", status=404, code="NoSuchKey", operation="GetObject", name="archive.json", access_key="late", count=1)
        late = scene.worker(AWS_ACCESS_KEY_ID="late")
        scene.wait_until("both are at work", lambda: late.process.poll() is not None or late.status() != "")
        self.assertIsNone(late.process.poll(), late.log_end())
        scene.check_sound(self, 1)

    def test_who_was_paused_and_fenced_writes_nothing_when_it_wakes(self):
        """One shard, so that the one that wakes gets none: whatever it puts then it puts as a fenced worker."""
        scene = ScriptedScene(self.aws)
        paused = scene.worker(AWS_ACCESS_KEY_ID="paused")
        scene.count("A")
        scene.wait_drained()
        done = threading.Event()

        def write():
            while not done.is_set():
                scene.count("A", "B", "C")
                time.sleep(0.01)

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        other = scene.worker(AWS_ACCESS_KEY_ID="other")
        scene.wait_until("both are members", lambda: "1 other worker" in other.status())
        self.aws.control("faults", kind="slow", ms=200, operation="PutObject", access_key="paused")
        rules = {name: self.aws.control("faults", kind="slow", ms=0, operation="PutObject", access_key=name)["id"]
                 for name in ("paused", "other")}
        rules["pages"] = self.aws.control("faults", kind="slow", ms=0, operation="PutObject", access_key="paused", name="/ledger/")["id"]

        def puts_of(name):
            return next(one["matched"] for one in self.aws.asked("faults")["faults"] if one["id"] == rules[name])

        scene.wait_until("it puts objects and pages", lambda: 0 < puts_of("pages") < puts_of("paused"))
        paused.pause()
        scene.wait_until("the other has gone on", lambda: puts_of("other") > 20, TAKEN_OVER_WITHIN_S)
        before, pages, reader = puts_of("paused"), puts_of("pages"), scene.reader()
        paused.go_on()
        time.sleep(4)
        done.set()
        writer.join()
        self.assertGreater(before, pages)  # it was stopped in the middle of a batch
        self.assertGreater(pages, 0)
        self.assertNotEqual(reader, "")
        self.assertEqual(scene.reader(), reader)  # else the one that woke may be the reader again, and may write
        self.assertEqual(puts_of("pages"), pages)
        # The pause may have caught one request between the look at the trust and the sending, not more: one thread sends.
        self.assertLessEqual(puts_of("paused"), before + 1)
        scene.wait_drained()
        scene.check_sound(self, scene.changes)
