"""`pawl repair`: what a lossy function did not write is put back, from the stream, the next change's old image or the table."""

import json
import re
import signal
import subprocess
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import ceph
import shared
from blackbox import servers, suite
from lossy_scene import Lossy, item, own_name
from scripted_store import ScriptedStore
from test_refusals import S3rver

HOSTILE = ["..", "/", " ", "a\nb", "{hashid}", "日本/山田", "A-1", "<Key>&amp;\"'", "%2F", "é" * 400]
READER = {"AWS_ACCESS_KEY_ID": "repairreader", "AWS_SECRET_ACCESS_KEY": "repairreadersecret"}
REPAIRER = {"AWS_ACCESS_KEY_ID": "repairer", "AWS_SECRET_ACCESS_KEY": "repairersecret"}


def outcomes(document):
    """(item, from, to) to outcome and sources."""
    return {(v["item"], v["from"], v["to"]): (v["outcome"], *(way["source"] for way in v["ways"])) for v in document["versions"]}


class Repair(unittest.TestCase):
    maxDiff = None

    def scene(self):
        """Some of what is missing is in the stream, some in old images, some in the table, and some nowhere."""
        lossy = Lossy(view=None)
        lossy.write("A", 0, 1, 2)
        lossy.write("B", 0, 1)
        lossy.write("C", 0, 1)
        lossy.write("F", *range(6))
        lossy.stream("NEW_AND_OLD_IMAGES")
        lossy.write("A", 3, 4, 5)
        lossy.write("D", 0, 1)
        lossy.write("E", 0, 1, 2)
        lossy.api.delete_item(TableName=lossy.table, Key={"hashid": {"S": "E"}})
        lossy.archive("A", 0, 5)
        lossy.archive("B", 0)
        lossy.archive("C", 0, 1)
        lossy.archive("E", 0, 2)
        lossy.archive("F", 0, 5)
        return lossy

    def test_from_each_source_and_nothing_else_changes(self):
        lossy = self.scene()
        before = lossy.state()
        plan = lossy.document(self, "repair", 1, "--plan")
        self.assertEqual(outcomes(plan), {
            ("A", 1, 1): ("lost",), ("A", 2, 2): ("planned", "old-image"), ("A", 3, 3): ("planned", "stream", "old-image"),
            ("A", 4, 4): ("planned", "stream", "old-image"), ("B", 1, 1): ("planned", "table"),
            ("D", 0, 0): ("planned", "stream", "old-image"), ("D", 1, 1): ("planned", "stream", "table"),
            ("E", 1, 1): ("planned", "stream", "old-image"), ("F", 1, 4): ("lost",)})
        self.assertEqual((plan["mode"], plan["missing"], plan["complete"]), ("plan", 12, False))
        self.assertEqual({k: v for k, v in plan["counts"].items() if v}, {"planned": 7, "lost": 5})
        for version in plan["versions"]:
            self.assertEqual(version.get("name"), own_name(version["item"], version["from"]) + "~repaired" if version["ways"] else None)
            self.assertTrue(version["ways"] or "neither in the bucket nor in the table nor in any record of the stream, which begins at"
                            in version["why"], version)
            for way in version["ways"]:
                self.assertEqual("until" in way, way["source"] != "table")
        self.assertEqual(lossy.state(), before)  # not even a probe

        done = lossy.document(self, "repair", 1)
        self.assertEqual(outcomes(done), {
            ("A", 1, 1): ("lost",), ("A", 2, 2): ("put", "old-image"), ("A", 3, 3): ("put", "stream"), ("A", 4, 4): ("put", "stream"),
            ("B", 1, 1): ("put", "table"), ("D", 0, 0): ("put", "stream"), ("D", 1, 1): ("put", "stream"),
            ("E", 1, 1): ("put", "stream"), ("F", 1, 4): ("lost",)})
        after = lossy.state()
        put = {v["name"]: v for v in done["versions"] if v["outcome"] == "put"}
        self.assertEqual({name: after[name] for name in before}, before)
        self.assertEqual(set(after), set(before) | set(put) | {".pawl/probe"})
        self.check_bodies(lossy, put)

        again = lossy.document(self, "repair", 1)
        self.assertEqual(outcomes(again), {("A", 1, 1): ("lost",), ("F", 1, 4): ("lost",)})
        self.assertEqual(lossy.state(), after)
        gaps = lossy.document(self, "gaps", 1)
        self.assertEqual([(h["item"], h["from"], h["to"]) for h in gaps["gaps"]], [("A", 1, 1), ("F", 1, 4)])
        self.assertEqual((gaps["versions"], gaps["repaired"]), (16, 7))
        self.assertIn("7 of these are there by repair only", lossy.run("gaps").stdout)

    def check_bodies(self, lossy, put):
        self.assertTrue(put)
        for name, entry in put.items():
            body = json.loads(lossy.body(name))
            way, version = entry["ways"][0], entry["from"]
            expected = {"format": "pawl-repair/1", "table": lossy.table, "name": own_name(entry["item"], version), "version": version,
                        "source": way["source"], "image": item(entry["item"], version)}
            if way["source"] != "table":
                arn = lossy.api.describe_table(TableName=lossy.table)["Table"]["LatestStreamArn"]
                expected |= {"stream": arn, "shard": way["shard"], "sequence": way["sequence"]}
            self.assertEqual(body, expected)
            self.assertEqual(list(body["image"]), sorted(body["image"]))

    def test_text_for_people(self):
        lossy = self.scene()
        done = lossy.run("repair", "--plan")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("PLAN: 12 versions missing, of 5 items; 7 can be put back; 5 lost for good.", done.stdout)
        self.assertRegex(done.stdout, r"A: 3 from the stream until \S+Z, else from the next change's old image until \S+Z, as logs/A-3.log~repaired")
        self.assertIn("B: 1 from the table until its next write, as logs/B-1.log~repaired", done.stdout)
        self.assertIn("F: 1-4 lost\n", done.stdout)
        self.assertIn("nothing was written", done.stdout)
        done = lossy.run("repair")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("REPAIRED: 7 of 12 missing versions put back; 5 lost for good.", done.stdout)
        self.assertIn("B: 1 put back from the table, as logs/B-1.log~repaired", done.stdout)
        self.assertRegex(done.stdout, r"Lost: neither .* in any record of the stream, which begins at \S+Z\.")

    def test_complete_and_whatever_keys_hold(self):
        lossy = Lossy()
        for key in HOSTILE:
            lossy.write(key, 0, 1, 2, 3)
            lossy.archive(key, 0, 2)
        before = lossy.state()
        done = lossy.document(self, "repair", 0)
        self.assertTrue(done["complete"])
        put = {v["name"]: v for v in done["versions"]}
        self.assertEqual(set(put), {own_name(key, version) + "~repaired" for key in HOSTILE for version in (1, 3)})
        self.assertEqual(set(lossy.state()) - {".pawl/probe"}, set(before) | set(put))
        self.check_bodies(lossy, put)
        done = lossy.run("repair")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("NOTHING TO REPAIR", done.stdout)
        self.assertEqual(lossy.run("gaps").returncode, 0)

    def test_views_of_the_stream(self):
        expected = {"NEW_IMAGE": {1: "stream", 2: "stream", 3: "stream"}, "OLD_IMAGE": {1: "old-image", 2: "old-image", 3: "table"},
                    "KEYS_ONLY": {3: "table"}, None: {3: "table"}}
        for view, sources in expected.items():
            with self.subTest(view=view):
                lossy = Lossy(view=view)
                lossy.write("A", 0, 1, 2, 3)
                lossy.archive("A", 0)
                done = lossy.document(self, "repair", 0 if len(sources) == 3 else 1)
                found = {v["from"]: v["ways"][0]["source"] for v in done["versions"] if v["outcome"] == "put"}
                self.assertEqual(found, sources)
                lost = [(v["from"], v["to"], v["why"]) for v in done["versions"] if v["outcome"] == "lost"]
                self.assertEqual([(a, b) for a, b, _ in lost], [] if len(sources) == 3 else [(1, 2)])
                if lost:
                    self.assertIn("keys only" if view else "the table has none", lost[0][2])

    def test_what_was_not_looked_for_is_not_called_lost(self):
        lossy = Lossy()
        lossy.write("A", 0, 1, 2)
        lossy.archive("A", 0)
        plan = lossy.document(self, "repair", 1, "--plan", "--no-stream")
        self.assertEqual(outcomes(plan), {("A", 1, 1): ("not-found",), ("A", 2, 2): ("planned", "table")})
        self.assertIn("--no-stream", plan["versions"][0]["why"])

    def test_leading_zeros(self):
        lossy = Lossy()
        for key in ("A", "B", "C"):
            lossy.write(key, *range(13))
        lossy.archive("A", 0, 2, 11, digits=3)
        lossy.archive("B", 10, 12)  # its others could be 00 to 09 or 0 to 9
        lossy.archive("C", 0, 12)
        done = lossy.document(self, "repair", 1)
        put = {v["name"] for v in done["versions"] if v["outcome"] == "put"}
        self.assertEqual(put, {own_name("A", f"{v:03}") + "~repaired" for v in (1, *range(3, 11), 12)} | {own_name("B", 11) + "~repaired"} |
                         {own_name("C", v) + "~repaired" for v in range(1, 12)})
        self.assertEqual({(v["item"], v["from"]) for v in done["versions"] if v["outcome"] == "not-put"}, {("B", v) for v in range(10)})
        self.assertIn("leading zeros", next(v["why"] for v in done["versions"] if v["outcome"] == "not-put"))
        gaps = lossy.document(self, "gaps", 1)
        self.assertEqual([(h["item"], h["from"], h["to"]) for h in gaps["gaps"]], [("B", 0, 9)])

    def test_a_name_that_would_be_too_long(self):
        lossy, key = Lossy(), "x" * 1005
        lossy.write(key, 0, 1)
        lossy.write("A", 0, 1)
        lossy.archive(key, 0)
        lossy.archive("A", 0)
        done = lossy.document(self, "repair", 1)
        self.assertEqual({v["item"][0]: v["outcome"] for v in done["versions"]}, {"x": "not-put", "A": "put"})


class Permissions(unittest.TestCase):
    users = threading.Lock()
    made = False

    def scene(self):
        with Permissions.users:
            if not Permissions.made:
                shared.ceph.add_user("repairreader", READER)
                shared.ceph.add_user("repairer", REPAIRER)
                Permissions.made = True
        lossy = Lossy()
        lossy.write("A", 0, 1, 2)
        lossy.archive("A", 0, 2)
        bucket = f"arn:aws:s3:::{lossy.bucket}"
        lossy.s3.put_bucket_policy(Bucket=lossy.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/repairreader", "arn:aws:iam:::user/repairer"]},
             "Action": "s3:ListBucket", "Resource": bucket},
            {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/repairer"]}, "Action": "s3:PutObject",
             "Resource": [bucket + "/*~repaired", bucket + "/.pawl/probe"]}]}))
        return lossy

    def test_who_may_only_list_is_told_before_anything_is_read(self):
        lossy = self.scene()
        before = lossy.state()
        done = lossy.run("repair", environment=READER)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertIn(f"s3:PutObject on arn:aws:s3:::{lossy.bucket}/.pawl/probe and on arn:aws:s3:::{lossy.bucket}/*~repaired", done.stderr)
        self.assertNotIn("reading the stream", done.stderr)
        self.assertEqual(lossy.state(), before)
        plan = lossy.document(self, "repair", 1, "--plan", environment=READER)
        self.assertEqual(outcomes(plan), {("A", 1, 1): ("planned", "stream", "old-image")})

    def test_no_more_than_the_policy_is_needed(self):
        lossy = self.scene()
        for _ in range(2):  # the second finds the probe there
            lossy.document(self, "repair", 0, environment=REPAIRER)
        self.assertIn("logs/A-1.log~repaired", lossy.state())


class Stores(unittest.TestCase):
    def test_a_store_that_ignores_conditions_is_refused(self):
        context = suite.current()
        store = context.cleanup.add(S3rver(context.ports + 80, context.cleanup.directory()))
        keys = {"AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER"}
        lossy = Lossy()
        lossy.url, lossy.bucket, lossy.s3 = store.url, "pawl-test", ceph.client(store.url, keys)
        lossy.write("A", 0, 1, 2)
        lossy.archive("A", 0, 2)
        before = lossy.state()
        done = lossy.run("repair", environment=keys)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertIn("ignores conditional requests (If-None-Match: *)", done.stderr)
        after = lossy.state()
        self.assertEqual({name: after[name] for name in before}, before)
        self.assertEqual(set(after), set(before) | {".pawl/probe"})

    def scripted(self):
        context = suite.current()
        return Lossy(store=context.cleanup.add(ScriptedStore(servers.free_port(context.ports + 90))))

    def test_what_comes_between_the_look_and_the_put(self):
        lossy = self.scripted()
        lossy.write("A", *range(8))
        lossy.archive("A", 0, 7)
        store, handler = lossy.store, lossy.store.server.RequestHandlerClass
        listed = handler._list
        other = (b"something else", '"y"')

        def _list(self, query):
            if query.get("max-keys") == ["1"]:  # the second look
                if query["prefix"] == ["logs/A-3.log"]:
                    store.objects["logs/A-3.log"] = other
                if query["prefix"] == ["logs/A-4.log"]:
                    store.objects["logs/A-4.log~repaired"] = other
            return listed(self, query)

        handler._list = _list
        done = lossy.document(self, "repair", 1)
        self.assertEqual({v["from"]: v["outcome"] for v in done["versions"]},
                         {1: "put", 2: "put", 3: "appeared", 4: "taken", 5: "put", 6: "put"})
        self.assertEqual(store.objects["logs/A-3.log"], other)
        self.assertNotIn("logs/A-3.log~repaired", store.objects)
        self.assertEqual(store.objects["logs/A-4.log~repaired"], other)

    def test_two_runs_at_once_put_the_same(self):
        lossy = self.scripted()
        lossy.store.rules.latency_s = 0.02
        for key in range(30):
            lossy.write(f"K{key}", 0, 1, 2)
            lossy.archive(f"K{key}", 0, 2)
        runs = [subprocess.Popen(lossy.command("repair", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        documents = []
        for run in runs:
            out, err = run.communicate(timeout=300)
            self.assertEqual(run.returncode, 0, err)
            documents.append(json.loads(out))
        put = [v["name"] for document in documents for v in document["versions"] if v["outcome"] == "put"]
        self.assertEqual(sorted(put), sorted(f"logs/K{key}-1.log~repaired" for key in range(30)))

    def test_a_store_that_is_in_trouble(self):
        lossy = self.scripted()
        for key in range(40):
            lossy.write(f"K{key}", 0, 1, 2)
            lossy.archive(f"K{key}", 0, 2)
        rules = lossy.store.rules
        rules.slow_down, rules.error_applied, rules.error_not_applied, rules.lost_answer, rules.conflict = 50, 50, 50, 50, 50
        lossy.document(self, "repair", 0)
        self.assertEqual(len([name for name in lossy.store.objects if name.endswith("~repaired")]), 40)

    def test_a_store_that_refuses_all_puts(self):
        lossy = self.scripted()
        keys = [f"K{key:03}" for key in range(200)]
        lossy.write_each(keys, 0, 1, 2)
        for key in keys:
            lossy.archive(key, 0, 2)
        handler = lossy.store.server.RequestHandlerClass
        put = handler._put

        def _put(self):
            if "repaired" not in self.path:
                return put(self)
            self.rfile.read(int(self.headers["Content-Length"]))
            return self._error(403, "AccessDenied")

        handler._put = _put
        done = lossy.document(self, "repair", 1)
        self.assertEqual({v["outcome"] for v in done["versions"]}, {"not-put"})
        self.assertIn("AccessDenied", done["trouble"])
        self.assertLess(lossy.store.answers["PUT", 403], 65)  # it does not try them all
        # One that is refused for itself holds up no other.
        def _put_one(self):
            return _put(self) if "K007-" in self.path else put(self)

        handler._put = _put_one
        done = lossy.document(self, "repair", 1)
        self.assertEqual({k: v for k, v in done["counts"].items() if v}, {"put": 199, "not-put": 1})
        self.assertNotIn("trouble", done)


class Ends(unittest.TestCase):
    """A run that is ended in the middle, however, is gone on with by the next."""

    def scene(self, store=None):
        lossy = Lossy(store=store)
        keys = [f"K{key:03}" for key in range(400)]
        lossy.write_each(keys, 0, 1, 2)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: lossy.archive(key, 0, 2), keys))
        return lossy

    def begun(self, lossy):
        run = subprocess.Popen(lossy.command("repair", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 240
        while not any(lossy.has(f"logs/K{key:03}-1.log~repaired") for key in range(0, 400, 50)):
            self.assertLess(time.monotonic(), deadline, "nothing is put")
            time.sleep(0.01)
        return run

    def check_gone_on_with(self, lossy, before, ended):
        there = {name for name in ended if name.endswith("~repaired")}
        self.assertTrue(0 < len(there) < 400, len(there))
        done = lossy.document(self, "repair", 0)
        self.assertEqual({k: v for k, v in done["counts"].items() if v}, {"put": 400 - len(there)})
        after = lossy.state()
        self.assertEqual(set(after), set(before) | {f"logs/K{key:03}-1.log~repaired" for key in range(400)} | {".pawl/probe"})
        for earlier in (before, ended):
            self.assertEqual({name: after[name] for name in earlier}, earlier)

    def test_killed(self):
        lossy = self.scene()
        before = lossy.state()
        run = self.begun(lossy)
        run.kill()
        run.communicate()
        ended, seen = lossy.state(), None
        while ended != seen:  # what was under way
            time.sleep(0.5)
            ended, seen = lossy.state(), ended
        self.check_gone_on_with(lossy, before, ended)

    def test_stopped_by_a_signal(self):
        for end in (signal.SIGINT, signal.SIGTERM):
            context = suite.current()
            lossy = self.scene(context.cleanup.add(ScriptedStore(servers.free_port(context.ports + 90))))
            lossy.store.rules.latency_s = 0.05
            before = lossy.state()
            run = self.begun(lossy)
            run.send_signal(end)
            out, err = run.communicate(timeout=300)
            self.assertEqual(run.returncode, 1, err)
            document = json.loads(out)
            self.assertTrue(document["stopped"])
            ended = lossy.state()
            put = {v["name"] for v in document["versions"] if v["outcome"] == "put"}
            self.assertEqual(put, {name for name in ended if re.search("~repaired$", name)})
            self.assertEqual({v["why"] for v in document["versions"] if v["outcome"] != "put"}, {"the run was stopped before"})
            lossy.store.rules.latency_s = 0
            self.check_gone_on_with(lossy, before, ended)
