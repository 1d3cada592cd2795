"""Tables that come, go and come again, and what the change log holds for their sake."""

import json
import os
import shutil

from blackbox import suite
from shared import BUCKET, LONG_S, Case, Scene, wait_until


class Lives(Case):
    def test_a_table_that_is_deleted_is_read_to_its_end_and_one_of_its_name_is_another(self):
        scene = Scene()
        for version in range(5):
            scene.put("A", version, "drop" if version == 4 else None)
        scene.ddb.delete_table(TableName="users")
        scene.make_table()
        scene.map()
        for version in range(3):
            scene.put("A", version)

        def over():
            found = scene.pawl.status()["expectations"]
            return len(found) == 1 and found[0]["entered"] == 3 and found[0]["lag"] == 0
        wait_until(over, 180, "the end of the first life")
        code, report = scene.verify()
        self.assertEqual(code, 0, report)
        self.assertEqual((report["versions"], report["guarded_tables"], report["gaps"]), (8, 2, 0), report)
        self.assertEqual(report["repaired"] + report["foreign"], 8)
        self.assertGreaterEqual(report["repaired"], 1)

    def test_a_table_that_is_not_there_is_told(self):
        scene = Scene()
        scene.ddb.delete_table(TableName="users")
        wait_until(lambda: "incarnation" not in (scene.expectation() or {"incarnation": ""}), what="the end")
        self.assertIn("there is no such table yet", scene.pawl.run("status", "--endpoint", scene.url).stdout)

    def test_an_expectation_of_a_table_that_is_there_begins_with_what_is_left(self):
        scene = Scene(expects_later=True, maps=False)
        for version in range(5):
            scene.put("A", version)
        scene.start_with(scene.config)
        scene.put("A", 5)
        status = scene.settle()
        code, report = scene.verify()
        self.assertEqual((code, report["gaps"]), (0, 0), report)
        self.assertGreaterEqual(report["versions"], 1)
        self.assertEqual(status["written"], report["repaired"])

        def archived():
            report = json.loads(scene.pawl.run("verify", scene.pawl.archive, "--json").stdout)
            return report["versions"] == 6 and report["verdict"] == "sound"
        wait_until(archived, what="a table that exists is recorded as when it was made")

    def test_another_expectation_in_the_same_bucket_is_refused_and_holds_everything(self):
        scene = Scene(deadline_s=LONG_S)
        scene.put("A", 0)
        scene.settle()
        scene.start_with(scene.config.replace("logs/{id}-{v}.log", "other/{id}-{v}.log"))
        scene.put("A", 1)
        why = wait_until(lambda: (scene.expectation() or {}).get("why"), what="a reason")
        self.assertIn("name another bucket", why)
        scene.start_with(scene.config)
        scene.settle()
        self.check_sound(scene, foreign=2)

    def test_the_bucket_is_made_at_the_start(self):
        scene = Scene(maps=False)
        wait_until(lambda: BUCKET in [one["Name"] for one in scene.s3.list_buckets()["Buckets"]], what="the bucket")

    def test_an_older_table_beside_its_ledger_is_not_gone_on_with_even_when_it_has_grown_past_it(self):
        scene = Scene()
        for version in range(3):
            scene.put("A", version)
        scene.settle()
        self.assertEqual(scene.pawl.stop(), 0)
        copy = os.path.join(suite.current().cleanup.directory(), "data")
        shutil.copytree(scene.pawl.data, copy)
        scene.pawl.start()
        for version in range(3, 5):
            scene.put("A", version)
        scene.settle()
        self.assertEqual(scene.pawl.stop(), 0)
        # All as it was, but for the buckets.
        shutil.rmtree(os.path.join(copy, "buckets"))
        shutil.move(os.path.join(scene.pawl.data, "buckets"), os.path.join(copy, "buckets"))
        shutil.rmtree(scene.pawl.data)
        shutil.move(copy, scene.pawl.data)
        scene.pawl.start()

        def why():
            return (scene.expectation() or {}).get("why")
        self.assertIn("and the table does not: it is older", wait_until(why, what="a reason"))
        for version in range(10, 15):
            scene.put("A", version)
        self.assertEqual(scene.pawl.stop(), 0)
        scene.pawl.start()
        self.assertIn("it was older, and has grown since", wait_until(why, what="a reason after the next start"))
        code, report = scene.verify()
        self.assertEqual((code, report["versions"], report["gaps"]), (0, 5, 0), report)
        status = scene.expectation()
        self.assertEqual(status["committed"], 8, status)
        self.assertIn("restore table and bucket from one copy", status["why"])
