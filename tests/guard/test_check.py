"""`pawl guard check` beside a function of somebody's, on DynamoDB Local and Ceph's gateway."""

import json
import os
import random
import re
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import ceph
import jsonschema
import server
import shared
from botocore.exceptions import ClientError
from check_scene import CheckScene, Function, GeneratedScene
from test_preflight import line

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CHECKER = {"AWS_ACCESS_KEY_ID": "checker", "AWS_SECRET_ACCESS_KEY": "checkersecret"}


def scene_of(*options, **more):
    return CheckScene(shared.dynamodb.url, shared.ceph.url, *options, **more)


def within(seconds):
    """A deadline that lies so far from now for what is changed in this minute: DynamoDB Local tells whole minutes only, and a
    deadline counts from what it tells."""
    if time.time() % 60 > 30:
        time.sleep(60 - time.time() % 60)
    return f"{int(time.time() % 60) + seconds}s"


class Faults:
    """1 % is dropped and 1 % written twice, by the dice; some at any rate."""

    def __init__(self, seed):
        self.chance = random.Random(seed)

    def __call__(self, hashid, version):
        if version in (7, 8) and hashid == "W00":
            return "drop" if version == 7 else "twice"
        chance = self.chance.random()
        return "drop" if chance < 0.01 else "twice" if chance < 0.02 else None


class Check(unittest.TestCase):
    def check_sound(self, scene, versions, foreign, repaired):
        status, report, text = scene.verify("--deep")
        self.assertEqual(status, 0, text)
        self.assertEqual((report["versions"], report["foreign"], report["repaired"], report["gaps"]),
                         (versions, foreign, repaired, 0), text)
        return report

    def check_all_is_mended(self, scene, function, before, versions):
        """What the function left out is there, in Pawl's words; what it wrote is as it was."""
        missing = {name + "~repaired" for name in function.dropped}
        missing |= {f"logs/{name}.log.removed-{name.rsplit('-', 1)[1]}~repaired" for name in function.removed}
        self.assertTrue(function.dropped and function.twice)
        self.assertEqual(scene.repaired(), missing)
        after = scene.objects()
        self.assertEqual({name: after.get(name) for name in before}, before)
        self.assertEqual(set(after), set(before) | missing)
        report = self.check_sound(scene, versions, len(function.written), len(missing))
        self.assertEqual(report["others"], 0)
        name = sorted(function.dropped)[0]
        body = json.loads(scene.read(name + "~repaired"))
        self.assertEqual(name, f"logs/{body['new']['hashid']['S']}-{body['new']['_version']['N']}.log")
        self.assertEqual(scene.alarms()[1], len(missing), scene.alarms()[0])

    def test_what_a_function_drops_is_found_and_put_in(self):
        # The function is a thread of this process, and other suites run beside it: with 60 s it was too late at a load of 10.
        scene = scene_of("--deadline", within(100))
        scene.store.put_object(Bucket=scene.bucket, Key="theirs/from-before", Body=b"no business of Pawl's")
        workers = [scene.worker() for _ in range(3)]
        function = Function(scene, Faults(1)).start()

        def write(number):
            for _ in range(60):
                scene.count(f"W{number:02}")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(20)))
        for number in range(10, 20):
            scene.remove(f"W{number:02}")
        function.wait_seen(1210)
        before = scene.objects()  # before the deadline of the last dropped ones
        before.pop("theirs/from-before")
        before = {name: value for name, value in before.items() if "~repaired" not in name}
        scene.wait_archived(1210)
        function.stop()
        self.assertEqual(set(before), set(function.written))
        statuses = scene.stop_all()
        self.assertIn(1, statuses, [worker.log_end() for worker in workers])
        self.assertTrue(set(statuses) <= {0, 1}, statuses)
        self.assertEqual(scene.read("theirs/from-before"), b"no business of Pawl's")
        scene.store.delete_object(Bucket=scene.bucket, Key="theirs/from-before")
        self.check_all_is_mended(scene, function, before, 1210)

    def test_workers_killed_in_the_middle_lose_and_repeat_nothing(self):
        scene = scene_of("--deadline", within(75), below="some/prefix/")
        workers = [scene.worker(), scene.worker()]
        function = Function(scene, Faults(2)).start()
        written = 0
        for round_number in range(3):
            for number in range(150):
                scene.count(f"W{number % 10:02}")
            written += 150
            _, victim = scene.reading_worker()
            if round_number < 2:
                victim.kill()  # in the middle of what it waits for, or puts
                time.sleep(2)
                victim.start()
        function.wait_seen(written)
        before = {name: value for name, value in scene.objects().items() if "~repaired" not in name}
        scene.wait_archived(written)
        function.stop()
        scene.stop_all()
        self.assertEqual(scene.repaired(), {name + "~repaired" for name in function.dropped}, [w.log_end() for w in workers])
        after = scene.objects()
        self.assertEqual({name: after.get(name) for name in before}, before)
        self.check_sound(scene, written, len(function.written), len(function.dropped))

    def test_alert_writes_nothing(self):
        scene = scene_of("--deadline", "1s", "--on-missing", "alert")
        function = Function(scene, lambda hashid, version: "drop" if version in (3, 5) else None).start()
        for _ in range(6):
            scene.count("A")
        scene.remove("A")
        worker = scene.worker_after(function, 7)
        scene.wait_archived(7)
        function.stop()
        self.assertEqual(worker.stop(), 1, worker.log_end())
        self.assertEqual(scene.repaired(), set())
        self.assertEqual(set(scene.objects()), {f"logs/A-{version}.log" for version in (1, 2, 4, 6)})
        lines, count = scene.alarms()
        self.assertEqual(count, 3, lines)
        self.assertIn("pawl: MISSING logs/A-3.log: MODIFY of", lines[0])
        self.assertRegex(worker.log(), r"4 found( \(\d after the deadline\))?, 3 missing \(1 of removals\)")
        status, report, text = scene.verify("--deep")
        self.assertEqual(status, 1, text)
        self.assertEqual([(f["kind"], f["object"]) for f in report["findings"]],
                         [("missing-object", "logs/A-3.log"), ("missing-object", "logs/A-5.log"),
                          ("missing-object", "logs/A-6.log.removed-6")], text)

    def test_what_comes_late_but_before_its_deadline_is_the_functions(self):
        scene = scene_of("--deadline", "300s")
        worker = scene.worker()
        function = Function(scene, lambda hashid, version: 8 if version == 2 else None).start()
        began = time.monotonic()
        for _ in range(3):
            scene.count("A")
        scene.wait_archived(3)
        self.assertGreater(time.monotonic() - began, 7)
        function.stop()
        self.assertEqual(worker.stop(), 0, worker.log_end())
        self.assertEqual(set(scene.objects()), {f"logs/A-{version}.log" for version in (1, 2, 3)})
        self.assertIn("3 found, none missing", worker.log())
        self.check_sound(scene, 3, 3, 0)

    def test_what_an_earlier_life_left_is_no_proof(self):
        """A-1 is written, deleted, and created again within the minute (see within()), with its counter started again; then the
        function drops it. Both a worker that entered the first and one that only finds it in the ledger see that."""
        for again in (False, True):
            with self.subTest(another_worker=again):
                self.re_create_and_drop(again)

    def re_create_and_drop(self, another_worker):
        scene = scene_of("--deadline", within(2))
        lives = []

        def first_life_only(hashid, version):
            lives.append(version)
            return "drop" if len(lives) > 1 else None

        function = Function(scene, first_life_only).start()
        scene.count("A")
        worker = scene.worker_after(function, 1)
        scene.wait_archived(1)
        if another_worker:
            worker.stop()
            worker.start()
        scene.remove("A")
        scene.count("A")
        scene.wait_archived(3)
        function.stop()
        self.assertEqual(worker.stop(), 1, worker.log_end())
        self.assertEqual(scene.repaired(), {"logs/A-1.log.removed-1~repaired", "logs/A-1.log~repaired"})
        self.check_sound(scene, 3, 1, 2)

    def test_an_overwritten_version_is_told_by_verify(self):
        """What check can't hold: the second life's object takes the place of the first one's."""
        scene, lives = scene_of("--deadline", "1s"), []
        function = Function(scene, body=lambda image: lives.append(1) or b"life %d" % len(lives)).start()
        scene.count("A")
        worker = scene.worker_after(function, 1)
        scene.wait_archived(1)
        self.assertEqual(worker.stop(), 0, worker.log_end())
        scene.remove("A")
        scene.count("A")
        worker = scene.worker_after(function, 3)
        scene.wait_archived(3)
        function.stop()
        self.assertEqual(worker.stop(), 1)  # the removal
        self.assertEqual(scene.verify()[0], 0)
        status, report, text = scene.verify("--deep")
        self.assertEqual(status, 1, text)
        self.assertEqual([(f["kind"], f["object"], f["sequence"]) for f in report["findings"]],
                         [("altered-object", "logs/A-1.log", 1)], text)

    def test_names_are_taken_as_a_function_makes_them(self):
        scene = scene_of("--deadline", "1s")
        function = Function(scene, lambda hashid, version: "drop" if version == 2 else None).start()
        keys = ["a/b", "50%", "x~y", ".hidden", "山田 太郎", "a+b&c=d?", "L" * 300]
        for key in keys:
            scene.count(key)
        scene.count("a/b")
        scene.count("no//path")
        worker = scene.worker_after(function, len(keys) + 2)
        scene.wait_archived(len(keys) + 2)
        function.stop()
        self.assertEqual(worker.stop(), 1, worker.log_end())
        self.assertEqual(scene.repaired(), {"logs/a%2Fb-2.log~repaired", "logs/no%2F%2Fpath-1.log~repaired"})
        self.assertTrue({f"logs/{key}-1.log" for key in keys} <= set(scene.objects()))
        report = self.check_sound(scene, len(keys) + 2, len(keys), 2)
        self.assertEqual(report["others"], 1)  # what the function wrote under no path

    def test_large_objects_are_hashed_whole(self):
        scene = scene_of("--deadline", "300s")
        worker = scene.worker()
        large = os.urandom(3_000_001)
        function = Function(scene, body=lambda image: large).start()
        scene.count("A"), scene.count("A")
        scene.wait_archived(2)
        function.stop()
        self.assertEqual(worker.stop(), 0, worker.log_end())
        report = self.check_sound(scene, 2, 2, 0)
        self.assertEqual(report["bytes"], 2 * len(large))
        scene.store.put_object(Bucket=scene.bucket, Key="logs/A-2.log", Body=large[:-1] + bytes([large[-1] ^ 1]))
        status, report, text = scene.verify("--deep")
        self.assertEqual((status, [f["object"] for f in report["findings"]]), (1, ["logs/A-2.log"]), text)

    def test_status_as_json(self):
        scene = scene_of("--deadline", "1s", "--json")
        function = Function(scene, lambda hashid, version: "drop" if version == 2 else None).start()
        for _ in range(3):
            scene.count("A")
        worker = scene.worker_after(function, 3)
        scene.wait_archived(3)
        scene.wait_until("a status", lambda: '"in_ledger":3' in worker.log())
        function.stop()
        self.assertEqual(worker.stop(), 1, worker.log_end())
        documents = [json.loads(text) for text in worker.log().splitlines() if text.startswith("{")]
        with open(os.path.join(TOP, "docs", "schemas", "guard-check.schema.json"), encoding="utf-8") as file:
            schema = jsonschema.Draft202012Validator(json.load(file))
        for document in documents:
            self.assertEqual([error.message for error in schema.iter_errors(document)], [])
            self.assertFalse(schema.is_valid({**document, "more": 1}))
        last = documents[-1]
        self.assertTrue(last["ended"])
        self.assertEqual((last["found"], last["missing"], last["written"]), (2, 1, 1))
        self.assertIn(last["late"], (0, 1, 2))  # in the minute's first second they would not be
        shard = next(d["shards"][0] for d in documents if d["shards"] and d["shards"][0]["in_ledger"] == 3)
        self.assertEqual((shard["found"], shard["missing"], shard["written"]), (2, 1, 1))


class CheckScripted(unittest.TestCase):
    def test_a_backlog_waits_for_nothing_and_trouble_decides_nothing(self):
        """Thousands of changes of an hour ago; the store fails every eighth look, one way or another."""
        aws = server.started()
        self.addCleanup(aws.stop)
        scene = GeneratedScene(aws, 1000, 4, 4, 100, "--deadline", "10m")
        for kind in ("503", "500-not-applied", "drop-before"):
            aws.control("faults", kind=kind, operation="GetObject", prefix="logs/", probability=0.04, seed=1)
        workers = [scene.worker(), scene.worker()]
        scene.wait_archived(scene.changes)  # in less time than the deadline has
        for worker in workers:
            worker.stop()
        aws.control("reset", what="faults")
        status, report, text = scene.verify("--deep")
        self.assertEqual(status, 0, text)
        self.assertEqual((report["versions"], report["foreign"], report["repaired"]),
                         (scene.changes, scene.changes - len(scene.holes), len(scene.holes)), text)
        puts = {put["key"] for put in aws.asked("puts/bucket")["puts"] if put["status"] == 200}
        self.assertEqual({key for key in puts if not key.startswith(".pawl/")}, {name + "~repaired" for name in scene.holes})


class CheckPermissions(unittest.TestCase):
    def allow(self, scene, statements):
        who = {"AWS": ["arn:aws:iam:::user/checker"]}
        scene.store.put_bucket_policy(Bucket=scene.bucket, Policy=json.dumps(
            {"Version": "2012-10-17", "Statement": [{**statement, "Principal": who} for statement in statements]}))

    def test_the_printed_policy_is_enough_and_lets_it_touch_nothing_of_theirs(self):
        shared.ceph.add_user("checker", CHECKER)
        scene = scene_of("--deadline", "1s")
        policy = json.loads(scene.preflight("--json").stdout)["iam_policy"]["Statement"]
        statements = [statement for statement in policy if statement["Action"][0].startswith("s3:")]
        self.allow(scene, statements)
        function = Function(scene, lambda hashid, version: "drop" if version == 2 else None).start()
        for _ in range(3):
            scene.count("A")
        worker = scene.worker_after(function, 3, **CHECKER)
        scene.wait_until("all is in the ledger", lambda: re.search(r"2 found( \(\d after the deadline\))?, 1 missing, 1 put in", worker.status()))
        function.stop()
        self.assertEqual(worker.stop(), 1, worker.log_end())
        self.assertEqual(scene.repaired(), {"logs/A-2.log~repaired"})
        checker = ceph.client(shared.ceph.url, CHECKER)
        self.assertEqual(checker.get_object(Bucket=scene.bucket, Key="logs/A-1.log")["Body"].read(), function.written["logs/A-1.log"])
        for name in ("logs/A-1.log", "logs/A-4.log"):
            with self.assertRaises(ClientError) as refused:
                checker.put_object(Bucket=scene.bucket, Key=name, Body=b"not Pawl's to write")
            self.assertEqual(refused.exception.response["Error"]["Code"], "AccessDenied")
        # In this store an object is its writer's, so it is the checker who can read them all.
        done = scene.run("verify", scene.archive, "--s3-endpoint", scene.s3_url, "--deep", **CHECKER)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # Who may not list is not told what is absent.
        self.allow(scene, [statement for statement in statements if statement["Action"] != ["s3:ListBucket"]])
        done = scene.preflight("--json", **CHECKER)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        found = line(json.loads(done.stdout), "archive")
        self.assertEqual(found["verdict"], "refused")
        self.assertIn("s3:ListBucket", found["to_do"])


class CheckPreflight(unittest.TestCase):
    def names(self, scene, verdict, text, status):
        done = scene.preflight("--json")
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        found = line(json.loads(done.stdout), "names")
        self.assertEqual(found["verdict"], verdict, found)
        self.assertIn(text, found["found"])

    def test_names(self):
        self.names(scene_of(names="{hashid}"), "refused", "nothing in it tells the versions", 1)
        self.names(scene_of(names="{_version}/{hashid}.log"), "refused", "nothing in it tells the versions", 1)
        self.names(scene_of("--version-attribute", "_version", names="{_version}/{hashid}.log"), "note", "overwrites", 0)
        self.names(scene_of(names="{hashid}-{sequence}"), "refused", "Pawl's own ledger", 1)
        self.names(scene_of(names="{hashid}-{source}"), "good", "a name of its own", 0)

    def test_says_what_it_needs(self):
        scene = scene_of("--deadline", "90s")
        scene.store.put_object(Bucket=scene.bucket, Key="theirs", Body=b"x")
        done = scene.preflight("--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual((document["deadline_s"], document["on_missing"], document["version_attribute"]), (90, "write", "_version"))
        self.assertIn("has no ledger yet", line(document, "archive")["found"])
        puts = [s["Resource"] for s in document["iam_policy"]["Statement"] if "s3:PutObject" in s["Action"]]
        self.assertEqual(puts, [f"arn:aws:s3:::{scene.bucket}/.pawl/*", f"arn:aws:s3:::{scene.bucket}/*~repaired*"])
        scene.options += ["--on-missing", "alert"]
        policy = json.loads(scene.preflight("--json").stdout)["iam_policy"]
        puts = [s["Resource"] for s in policy["Statement"] if "s3:PutObject" in s["Action"]]
        self.assertEqual(puts, [f"arn:aws:s3:::{scene.bucket}/.pawl/*"])
        text = scene.preflight().stdout
        for word in ("USD", "looks at each object", "s3:GetObject", "It can start."):
            self.assertIn(word, text)

    def test_what_can_not_be(self):
        for options, text in ((["--deadline", "0s"], "--deadline"), (["--deadline", "13h"], "--deadline"),
                              (["--deadline", "5x"], "--deadline"), (["--on-missing", "mend"], "--on-missing")):
            done = scene_of(*options).preflight()
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn(text, done.stdout + done.stderr)

    def test_record_and_check_do_not_share_a_ledger(self):
        scene = scene_of("--deadline", "1s")
        worker = scene.worker()
        scene.count("A")
        scene.wait_archived(1)
        worker.stop()
        done = scene.run("guard", "record", "--preflight", "--table", scene.table, "--archive", scene.archive, "--name",
                         "logs/{hashid}-{_version}.log", "--version-attribute", "_version", "--s3-endpoint", scene.s3_url,
                         "--dynamodb-endpoint", scene.dynamodb_url)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("other settings", done.stdout)
