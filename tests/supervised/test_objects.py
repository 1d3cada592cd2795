"""What becomes of each change's object: found, asked for again, put in by Pawl, or told."""

import json

from shared import BUCKET, LONG_S, ROLE, Case, Scene, wait_until, zipped

SLOWNESS = ("stalled", "mapping-stalled")  # a machine may be too busy


class Objects(Case):
    def test_what_the_function_writes_is_found_and_proven(self):
        scene = Scene(deadline_s=LONG_S)
        for version in range(10):
            for key in ("A", "B", "C"):
                scene.put(key, version)
        scene.remove("B")
        status = scene.settle()
        self.assertEqual((status["found"], status["asked_again"], status["missing"]), (31, 0, 0), status)
        wait_until(lambda: (scene.expectation() or {}).get("state") == "idle", what="idle")
        report = self.check_sound(scene, foreign=31)
        self.assertIn("users", report["tables"])
        self.assertNotIn("~repaired", " ".join(scene.names()))
        self.assertEqual(set(scene.given().values()), {1})
        archive = json.loads(scene.pawl.run("verify", scene.pawl.archive, "--json").stdout)
        self.assertEqual(archive["versions"], 0, "the expectation stands in the archiver's place")
        done = scene.pawl.run("status", "--endpoint", scene.url)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(f"expected of users in s3://{BUCKET}: idle, 31 found, lag 0\n", done.stdout)

    def test_what_was_dropped_is_delivered_once_more(self):
        scene = Scene()
        for version in range(6):
            scene.put("A", version, "drop-once" if version % 2 else None)
            scene.put("B", version)
        status = scene.settle()
        self.assertEqual((status["found"], status["asked_again"], status["redelivered"], status["missing"]), (12, 3, 3, 0), status)
        self.assertGreaterEqual(status["late"], 3)  # and whatever the function was slow with
        self.check_sound(scene, foreign=12, redelivered=3)
        self.assertEqual(sorted(scene.given().values()), [1] * 9 + [2] * 3, "nothing else is delivered again")
        again = [json.loads(scene.s3.get_object(Bucket=scene.marks, Key=name)["Body"].read())
                 for name in scene.names("given/", scene.marks) if name.endswith("-1")]
        first = [json.loads(scene.s3.get_object(Bucket=scene.marks, Key=name[:-1] + "0")["Body"].read())
                 for name in scene.names("given/", scene.marks) if name.endswith("-1")]
        self.assertEqual(again, first, "as the mapping delivered it")
        self.assertIn("given to the function once more", scene.log())
        self.assertEqual(scene.metrics()['pawl_expectation_redelivered_total{table="users"}'], "3")
        text = scene.pawl.run("verify", f"s3://{BUCKET}", "--s3-endpoint", scene.url).stdout
        self.assertIn("12 written by somebody else and checked (3 only when their function was asked again), 0 put in by Pawl", text)

    def test_what_is_dropped_for_good_pawl_writes(self):
        scene = Scene()
        for version in range(4):
            scene.put("A", version, "drop" if version in (1, 2) else None)
        status = scene.settle()
        self.assertEqual((status["found"], status["asked_again"], status["redelivered"], status["missing"], status["written"]),
                         (2, 2, 0, 2, 2), status)
        self.assertEqual(scene.names(), ["logs/A-0.log", "logs/A-1.log~repaired", "logs/A-2.log~repaired", "logs/A-3.log"])
        self.assertEqual(json.loads(scene.body("logs/A-1.log~repaired"))["new"]["v"], {"N": "1"})
        self.check_sound(scene, foreign=2, repaired=2)
        self.assertEqual(sorted(scene.given().values()), [1, 1, 2, 2], "each is asked for once")
        alarms = scene.pawl.status()["alarms"]
        self.assertEqual([(one["kind"], one["subject"], one["standing"]) for one in alarms if one["kind"] not in SLOWNESS],
                         [("missing-objects", "users", False)])
        wait_until(lambda: scene.log().count("an object has not come") == 2, what="the log")
        self.assertIn("2 written by Pawl", scene.pawl.run("status", "--endpoint", scene.url).stdout)

    def test_what_is_only_to_be_told_is_missing(self):
        scene = Scene(expect='on_missing = "alert"')
        scene.put("A", 0)
        scene.put("A", 1, "drop")
        status = scene.settle()
        self.assertEqual((status["found"], status["missing"], status["written"]), (1, 1, 0), status)
        self.assertEqual(scene.names(), ["logs/A-0.log"])
        code, report = scene.verify()
        self.assertEqual((code, [one["kind"] for one in report["findings"]]), (1, ["missing-object"]), report)

    def test_what_is_written_again_or_deleted_later_is_kept(self):
        scene = Scene(deadline_s=LONG_S)
        for version in range(4):
            scene.put("A", version)
        scene.put("B", 0, size=200_000)
        scene.settle()
        first = {name: scene.body(name) for name in ("logs/A-0.log", "logs/A-1.log", "logs/B-0.log")}
        scene.s3.put_object(Bucket=BUCKET, Key="logs/A-0.log", Body=b"something else")
        scene.s3.put_object(Bucket=BUCKET, Key="logs/B-0.log", Body=b"z" * 200_001)
        scene.s3.put_object(Bucket=BUCKET, Key="logs/A-2.log", Body=scene.body("logs/A-2.log"))
        scene.s3.delete_object(Bucket=BUCKET, Key="logs/A-1.log")

        def entered():
            one = scene.expectation()
            return one and one["kept"] >= 3 and one["kept_entered"] == one["kept"]
        wait_until(entered, what="entering what is kept")
        report = self.check_sound(scene, foreign=5)
        self.assertEqual((report["rewritten"], report["deleted"]), (2, 1), report)
        kept = {one["object"]: scene.body(one["kept"]) for one in report["kept_versions"]}
        self.assertEqual(kept, first)
        scene.pawl.kill()
        scene.pawl.start()
        scene.put("A", 4)
        scene.settle(changes=6)
        self.check_sound(scene, foreign=6)

    def test_a_function_that_writes_something_else_at_once_is_taken_at_its_last_word(self):
        scene = Scene(deadline_s=LONG_S)
        for version in range(3):
            scene.put("A", version, "other-later")
        scene.settle()
        report = self.check_sound(scene, foreign=3)
        self.assertTrue(all(scene.body(f"logs/A-{version}.log").endswith(b"and more") for version in range(3)))
        self.assertLessEqual(report["rewritten"], 3)

    def test_a_removal_is_a_change_too(self):
        scene = Scene(deadline_s=LONG_S)
        scene.put("A", 0)
        scene.remove("A")
        scene.settle()
        self.assertEqual(scene.names(), ["logs/A-0.log", "logs/A-0.log.removed-0"])
        self.check_sound(scene, foreign=2)

    def test_writing_the_same_twice_is_once(self):
        scene = Scene(deadline_s=LONG_S)
        for version in range(5):
            scene.put("A", version, "twice")
        status = scene.settle()
        self.assertEqual((status["found"], status["missing"]), (5, 0), status)
        self.check_sound(scene, foreign=5)

    def test_a_process_that_ends_in_the_middle_is_the_mappings_affair(self):
        scene = Scene(deadline_s=LONG_S)
        for version in range(4):
            scene.put("A", version, "exit" if version == 2 else None)
        status = scene.settle()
        self.assertEqual((status["found"], status["missing"]), (4, 0), status)
        self.check_sound(scene, foreign=4, redelivered=status["redelivered"])

    def test_large_objects_are_told_by_their_digest(self):
        scene = Scene(deadline_s=LONG_S)
        for version, size in enumerate((0, 70_000, 900_000, 3_000_000)):
            scene.put("A", version, size=size)
        self.assertEqual(scene.settle()["found"], 4)
        self.check_sound(scene, foreign=4)

    def test_where_nobody_can_be_asked_pawl_writes(self):
        scene = Scene(maps=False, stream=False)
        for version in range(3):
            scene.put("A", version)
        status = scene.settle()
        self.assertEqual((status["asked_again"], status["calls"], status["written"]), (0, 0, 3), status)
        self.check_sound(scene, foreign=0, repaired=3)

    def test_what_the_mapping_has_not_reached_is_not_asked_for(self):
        scene = Scene(maps=False, deadline_s=8)
        scene.put("A", 0)
        scene.warm()
        wait_until(lambda: (scene.expectation() or {}).get("awaited") == 1, what="waiting")
        wait_until(lambda: (scene.expectation() or {}).get("oldest_age_ms", 0) > 9000, what="the first deadline")
        scene.map()  # and now it comes, by itself, before the second
        status = scene.settle()
        self.assertEqual((status["found"], status["asked_again"], status["redelivered"]), (1, 0, 0), status)
        self.assertEqual(set(scene.given().values()), {1})

    def test_the_mapping_whose_function_writes_may_come_to_it_last(self):
        scene = Scene(maps=False, deadline_s=8)
        scene.warm()
        scene.api.create_function(FunctionName="other", Runtime="python3.11", Role=ROLE, Handler="handler.lambda_handler",
                                  Code={"ZipFile": zipped("def lambda_handler(event, context):\n    return None\n")})
        scene.map(FunctionName="other")
        writer = scene.api.create_event_source_mapping(EventSourceArn=scene.arn, FunctionName="writer", Enabled=False,
                                                       StartingPosition="TRIM_HORIZON")
        scene.put("A", 0, "drop-once")
        wait_until(lambda: "given to the function once more" in scene.log(), what="giving it to the other")
        scene.api.update_event_source_mapping(UUID=writer["UUID"], Enabled=True)
        status = scene.settle()
        self.assertEqual((status["found"], status["asked_again"], status["redelivered"]), (1, 1, 1), status)
        self.assertEqual(list(scene.given().values()), [2], "by its mapping, and once more")
        self.check_sound(scene, foreign=1, redelivered=1)

    def test_both_have_all(self):
        scene = Scene(record="both")
        for version in range(5):
            scene.put("A", version, "drop" if version == 3 else None)
        scene.settle()
        self.check_sound(scene, foreign=4, repaired=1)

        def archived():
            report = json.loads(scene.pawl.run("verify", scene.pawl.archive, "--json").stdout)
            return report if report["versions"] == 5 else None
        self.assertEqual(wait_until(archived, what="the archive")["verdict"], "sound")
