"""`pawl guard repair`: after a gap what still exists is put back, and the rest is entered as known lost."""

import json
import subprocess
import threading
import time
import unittest

import server
import shared
from guard_scene import LocalScene
from test_shards import ScriptedScene


class Lost(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.aws = server.started()
        self.addCleanup(self.aws.stop)

    def scene(self, **more):
        return ScriptedScene(self.aws, **more)

    def repair(self, scene, status, *more):
        done = self.run_repair(scene, "--json", *more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def run_repair(self, scene, *more):
        return scene.run("guard", "repair", "--table", scene.table, "--archive", scene.archive, "--s3-endpoint", scene.s3_url,
                         "--dynamodb-endpoint", scene.dynamodb_url, *more)

    def remove(self, scene, item):
        self.aws.control("write", table="users", key={"hashid": {"S": item}})
        del scene.versions[item]
        scene.changes += 1

    def scene_with_a_hundred_holes(self):
        """Each item has two changes that nobody read; its worker is dead."""
        scene = self.scene()
        worker = scene.worker()
        items = [f"I{number:03}" for number in range(100)]
        scene.count(*items)
        scene.wait_drained()
        worker.kill()
        scene.count(*items, *items)
        self.trim(scene)
        return scene

    def trim(self, scene):
        for shard in scene.open_shards():
            self.aws.control("trim", table="users", shard=shard)

    @staticmethod
    def told(document):
        """Item to what was entered of it, in order."""
        entries = {}
        for entry in document["entries"]:
            item = json.loads(entry["item"])["hashid"]["S"]
            what = (entry["source"], entry["version"]) if "source" in entry else ("lost", entry.get("from"), entry.get("to"), entry["removed"])
            entries.setdefault(item, []).append(what)
        return entries

    def lose(self, scene):
        """A: 3 to 6 are trimmed, 7 comes after. B: nothing. C: 1 and 2 are trimmed. D: removed. E: removed and anew. F: 1 is trimmed."""
        worker = scene.worker()
        scene.count("A", "A", "A", "B", "C", "D", "E", "E", "F")
        scene.wait_drained()
        worker.kill()
        scene.count("A", "A", "A", "A", "C", "C", "F")
        self.remove(scene, "D")
        self.remove(scene, "E")
        scene.count("E")
        self.trim(scene)
        scene.count("A", "B")
        scene.worker()
        scene.wait_archived(11)

    EXPECTED = {
        "A": [("lost", 3, 5, False), ("old-image", 6)],
        "C": [("lost", 1, 1, False), ("table", 2)],
        "D": [("lost", None, None, True)],
        "E": [("lost", None, None, False), ("table", 0)],
        "F": [("table", 1)],
    }

    def test_down_the_ladder(self):
        scene = self.scene()
        self.lose(scene)
        report = scene.verify()[1]
        self.assertEqual((report["gaps"], report["open_holes"], report["put_back"], report["lost"]), (1, 1, 0, 0))
        before = self.names(scene)
        plan = self.repair(scene, 1, "--plan")
        self.assertEqual(self.told(plan), self.EXPECTED)
        self.assertEqual(self.names(scene), before)
        done = self.repair(scene, 0)
        self.assertEqual(self.told(done), self.EXPECTED)
        self.assertEqual((done["holes"], done["put_back"], done["lost"], done["pending"], done["complete"]), (5, 4, 4, 0, True))
        put = {name for name in self.names(scene) if name.endswith("~repaired")}
        self.assertEqual(put, {f"logs/{name}.log~repaired" for name in ("A-6", "C-2", "E-0", "F-1")})
        # Everything is known now, and entered once.
        again = self.repair(scene, 0)
        self.assertEqual((again["entries"], again["holes"]), ([], 0))
        report = scene.check_sound(self, 11, gaps=1)
        self.assertEqual((report["open_holes"], report["put_back"], report["lost"], report["unsealed"]), (0, 4, 4, 0))
        lost = [(json.loads(loss["item"])["hashid"]["S"], loss.get("from"), loss.get("to"), loss["removed"]) for loss in report["known_lost"]]
        self.assertEqual(lost, [("A", 3, 5, False), ("C", 1, 1, False), ("D", None, None, True), ("E", None, None, False)])
        text = scene.run("verify", scene.archive, "--s3-endpoint", scene.s3_url).stdout
        self.assertIn("Known lost: 4 entries.", text)
        self.assertIn("versions 3 to 5, between", text)
        self.check_history(scene)

    def check_history(self, scene):
        """What was put back and what is lost stand in their items' histories, where their holes are."""
        def history(*more):
            done = scene.run("history", scene.archive, *more, "--s3-endpoint", scene.s3_url)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout

        told = [(entry["kind"], entry.get("version"), entry.get("from"), entry.get("to"))
                for entry in json.loads(history("A", "--json"))["versions"]]
        self.assertEqual(told, [("INSERT", 0, None, None), ("MODIFY", 1, None, None), ("MODIFY", 2, None, None),
                                ("LOST", None, 3, 5), ("PUT-BACK", 6, None, None), ("MODIFY", 7, None, None)])
        self.assertIn('"_version":{"N":"6"}', history("A", "--version", "6"))
        self.assertRegex(history("A", "--version", "4"), r"3-5 +LOST .* to (?s:.*)nothing holds it any more")

    def names(self, scene):
        bucket, prefix = scene.archive.removeprefix("s3://").split("/", 1)
        pages = self.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + "/")
        names = {one["Key"].removeprefix(prefix + "/") for page in pages for one in page.get("Contents", [])}
        return names - {".pawl/probe"}

    def test_the_items_go_on(self):
        """What the table was seen to have is where the next changes start from."""
        scene = self.scene()
        self.lose(scene)
        self.repair(scene, 0)
        scene.count("A", "C", "E", "F")
        self.aws.control("write", table="users", item={"hashid": {"S": "D"}, "_version": {"N": "0"}})
        scene.wait_archived(16)
        self.assertEqual(self.repair(scene, 0)["entries"], [])
        report = scene.check_sound(self, 16, gaps=1)
        self.assertEqual((report["open_holes"], report["put_back"], report["lost"]), (0, 4, 4))

    def test_what_is_in_the_stream_is_not_lost(self):
        scene = self.scene(shards=2)
        worker = scene.worker()
        scene.count("A", "B", "C")
        scene.wait_drained()
        worker.kill()
        scene.count("A", "A", "B")
        self.remove(scene, "C")
        self.aws.control("roll-over", table="users", shard=scene.open_shards()[0])
        scene.count("A", "B")
        document = self.repair(scene, 0)
        self.assertEqual((document["entries"], document["pending"]), ([], 3))
        scene.worker()
        scene.wait_drained()
        scene.check_sound(self, scene.changes)

    def test_a_gap_that_nothing_tells_of_yet(self):
        """No worker has come back since: the hole is behind the ledger's end. The change that comes later goes on from the table's."""
        scene = self.scene()
        worker = scene.worker()
        scene.count("A", "A")
        scene.wait_drained()
        worker.kill()
        scene.count("A", "A", "A")
        self.trim(scene)
        self.assertEqual(self.told(self.repair(scene, 0)), {"A": [("lost", 2, 3, False), ("table", 4)]})
        scene.count("A")
        scene.worker()
        scene.wait_archived(3)
        self.assertEqual(self.repair(scene, 0)["entries"], [])
        report = scene.check_sound(self, 3, gaps=1)
        self.assertEqual((report["open_holes"], report["put_back"], report["lost"]), (0, 1, 1))

    def test_without_a_version_attribute(self):
        scene = self.scene()
        scene.options = []
        worker = scene.worker()
        scene.count("A", "B", "C")
        scene.wait_drained()
        worker.kill()
        scene.count("A", "A", "B")
        self.trim(scene)
        scene.count("A")
        scene.worker()
        scene.wait_archived(4)
        done = self.repair(scene, 0)
        entries = [(json.loads(entry["item"])["hashid"]["S"], entry["outcome"], entry.get("source")) for entry in done["entries"]]
        self.assertEqual(entries, [("A", "lost", None), ("A", "put-back", "old-image"), ("B", "lost", None), ("B", "put-back", "table")])
        self.assertEqual(self.repair(scene, 0)["entries"], [])
        report = scene.check_sound(self, 4, gaps=1)
        self.assertEqual((report["open_holes"], report["put_back"], report["lost"]), (0, 2, 2))

    def test_a_break_without_a_trimmed_position(self):
        """The stream never shows two changes: the next one's old image tells, and a gap is entered before it."""
        scene = self.scene()
        scene.worker()
        scene.count("A", "A", "B", "C")
        scene.wait_drained()
        scene.count("A", "A", record=False)
        scene.count("C", record=False)
        scene.count("B", "A", "B")
        scene.wait_archived(7)
        self.assertEqual(scene.verify()[1]["gaps"], 1)
        self.assertEqual(self.told(self.repair(scene, 0)), {"A": [("lost", 2, 2, False), ("old-image", 3)], "C": [("table", 1)]})
        report = scene.check_sound(self, 7, gaps=1)
        self.assertEqual((report["open_holes"], report["put_back"], report["lost"]), (0, 2, 1))

    def test_a_run_that_broke_off_is_gone_on_with(self):
        """Killed at any put: of what it left nothing is entered twice, and nothing is left out."""
        scene = self.scene_with_a_hundred_holes()
        command = [scene.binary, "guard", "repair", "--table", scene.table, "--archive", scene.archive, "--s3-endpoint", scene.s3_url,
                   "--dynamodb-endpoint", scene.dynamodb_url]
        self.aws.control("faults", kind="slow", ms=30, operation="PutObject")
        for turn in range(4):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            puts = len(self.names(scene))
            deadline = time.monotonic() + 240
            while len(self.names(scene)) < puts + 7 * (turn + 1) and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            process.kill()
            process.wait()
        self.aws.control("reset", what="faults")
        self.repair(scene, 0)
        report = scene.check_sound(self, 100)
        self.assertEqual((report["put_back"], report["lost"], report["unsealed"]), (100, 100, 0))

    def test_two_at_once(self):
        """Their pages are the fence: what both found is entered once."""
        scene = self.scene_with_a_hundred_holes()
        self.aws.control("faults", kind="slow", ms=20, operation="PutObject")
        runs = []
        threads = [threading.Thread(target=lambda: runs.append(self.run_repair(scene))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.aws.control("reset", what="faults")
        for run in runs:
            self.assertTrue(run.returncode == 0 or "another `pawl guard repair` writes" in run.stderr, run.stdout + run.stderr)
        self.repair(scene, 0)
        report = scene.check_sound(self, 100)
        self.assertEqual((report["put_back"], report["lost"], report["unsealed"]), (100, 100, 0))

    def test_whatever_fails(self):
        scene = self.scene()
        self.lose(scene)
        for seed, (kind, operation) in enumerate([("500-applied", "PutObject"), ("500-not-applied", "PutObject"), ("drop-after", "PutObject"),
                                                  ("500-not-applied", "GetObject"), ("throttle", "GetRecords"), ("drop-before", "Scan")]):
            self.aws.control("faults", kind=kind, operation=operation, probability=0.2, seed=seed)
        self.repair(scene, 0)
        self.aws.control("reset", what="faults")
        self.assertEqual(self.repair(scene, 0)["entries"], [])
        report = scene.check_sound(self, 11, gaps=1)
        self.assertEqual((report["put_back"], report["lost"]), (4, 4))

    def test_refusals(self):
        scene = self.scene()
        self.assertEqual(self.run_repair(scene).returncode, 2)  # there is no archive
        worker = scene.worker()
        scene.count("A")
        scene.wait_drained()
        worker.kill()
        self.aws.control("tables", table="users")  # another life of the table
        done = self.run_repair(scene)
        self.assertEqual(done.returncode, 2)
        self.assertIn("guards no table users of this life", done.stderr)


class LostBetweenTwoStreams(unittest.TestCase):
    """On DynamoDB Local and Ceph's gateway: what was written while the table had no stream."""

    def test_it_is_put_back_or_lost(self):
        scene = LocalScene(shared.dynamodb.url, shared.ceph.url)
        worker = scene.worker()
        for item in "AABC":
            scene.count(item)
        scene.wait_archived(4)
        worker.kill()
        api = scene.dynamodb
        api.update_table(TableName=scene.table, StreamSpecification={"StreamEnabled": False})
        for item in "AAACC":
            scene.count(item)
        scene.remove("B")
        api.update_table(TableName=scene.table, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
        scene.count("A")
        scene.worker()
        scene.wait_archived(5)
        done = scene.run("guard", "repair", "--table", scene.table, "--archive", scene.archive, "--s3-endpoint", scene.s3_url,
                         "--dynamodb-endpoint", scene.dynamodb_url, "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(Lost.told(json.loads(done.stdout)), {
            "A": [("lost", 3, 4, False), ("old-image", 5)], "B": [("lost", None, None, True)], "C": [("lost", 2, 2, False), ("table", 3)]})
        for worker in scene.workers:
            self.assertIn(worker.stop(), (0, -9), worker.log_end())
        status, report, text = scene.verify("--deep")
        self.assertEqual(status, 0, text)
        self.assertEqual((report["versions"], report["put_back"], report["lost"], report["open_holes"]), (5, 2, 3, 0), text)
