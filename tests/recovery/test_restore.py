"""Tables rebuilt from the archive alone."""

import json
import os
import shutil

from scene import Scene, SceneCase

TYPES = {"s": {"S": "日本"}, "n": {"N": "-1.5"}, "b": {"B": "AP8="}, "o": {"BOOL": False}, "z": {"NULL": True}, "l": {"L": [{"N": "1"}, {"M": {}}]},
         "m": {"M": {"k": {"L": [{"S": ""}]}}}, "ss": {"SS": ["a"]}, "ns": {"NS": ["1"]}, "bs": {"BS": ["YQ=="]}}


class Restore(SceneCase):
    def test_tables_come_back(self):
        scene = Scene()
        scene.create("users")
        scene.create("other")
        expected = {}
        for number in range(50):
            key = f"A{number:06}"
            scene.put("users", key, _version={"N": "0"}, **TYPES)
            for _ in range(number % 4):
                scene.count("users", key)
            expected[key] = {"hashid": {"S": key}, "_version": {"N": str(number % 4)}, **TYPES}
        for number in range(0, 50, 7):
            scene.delete("users", f"A{number:06}")
            del expected[f"A{number:06}"]
        scene.put("other", "x")
        versions = 50 + sum(n % 4 for n in range(50)) + 8
        scene.objects("users", versions)
        scene.objects("other", 1)
        scene.pawl.stop()
        away = os.path.join(scene.directory, "away")
        shutil.copytree(scene.pawl.archive, away)
        shutil.rmtree(scene.pawl.data)
        done = scene.pawl.run("restore", away, "--data", os.path.join(scene.directory, "rebuilt"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rebuilt = Scene(directory=scene.directory, archive=away)
        rebuilt.pawl.stop()
        rebuilt.pawl.data = os.path.join(scene.directory, "rebuilt")
        rebuilt.pawl.start()
        found = {i["hashid"]["S"]: i for i in rebuilt.call("Scan", TableName="users")["Items"]}
        self.assertEqual(found, expected)
        self.assertEqual(rebuilt.get("other", "x"), {"hashid": {"S": "x"}})
        # Versions go on where they were, also of an item that was deleted.
        rebuilt.count("users", "A000001")
        rebuilt.put("users", "A000007", _version={"N": "0"})
        objects = rebuilt.objects("users", versions + 2)
        self.assertEqual(len(objects), versions + 2)
        newest = {d["key"]["hashid"]["S"]: d["version"] for d in sorted(objects, key=lambda d: d["version"])}
        self.assertEqual((newest["A000001"], newest["A000007"]), (2, 5))
        rebuilt.pawl.stop()
        status, _, text = rebuilt.verify("--deep", archive=away)
        self.assertEqual(status, 0, text)

    def test_objects_without_a_page_alarm_nobody_and_damage_nothing(self):
        """The data directory was lost between an object's sync and its page's; the same counter goes on over it."""
        from blackbox import suite
        directory = suite.current().cleanup.directory()
        scene = Scene(archive=os.path.join(directory, "archive"), directory=directory)
        scene.create("users")
        scene.put("users", "A", _version={"N": "0"})
        scene.count("users", "A")
        newest = max(scene.objects("users", 2), key=lambda d: d["version"])
        scene.pawl.stop()
        with open(os.path.join(scene.pawl.archive, newest["object"]), encoding="utf-8") as file:
            body = json.loads(file.read())
        body.update(sequence=body["sequence"] + 1, version=2, trace="lost", old=body["new"], new={**body["new"], "_version": {"N": "2"}})
        with open(os.path.join(scene.pawl.archive, "logs/A-2.log"), "w", encoding="utf-8") as file:
            file.write(json.dumps(body, separators=(",", ":")) + "\n")
        status, _, text = scene.verify("--deep", archive=scene.pawl.archive)
        self.assertEqual(status, 0, "unsealed, not wrong: " + text)
        shutil.rmtree(scene.pawl.data)
        done = scene.pawl.run("restore", scene.pawl.archive, "--data", scene.pawl.data, "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(json.loads(done.stdout)["set_aside"], 1)
        self.assertEqual(len(os.listdir(os.path.join(scene.pawl.archive, ".suspect"))), 1, "it is kept")
        scene.pawl.start()
        self.assertEqual(scene.count("users", "A"), 2)
        self.assertEqual(sorted(d["object"] for d in scene.objects("users", 3)), [f"logs/A-{n}.log" for n in range(3)])
        status, text = scene.status_text()
        self.assertEqual(status, 0, text)
        self.assertEqual(scene.pawl.status()["alarms"], [])
        self.clean(scene, 3)

    def test_what_can_t_be_restored_says_why(self):
        scene = Scene()
        scene.create("users")
        scene.put("users", "A", _version={"N": "0"})
        scene.objects("users", 1)
        fresh = os.path.join(scene.directory, "fresh")
        done = scene.pawl.run("restore", scene.pawl.archive, "--data", fresh)
        self.assertEqual(done.returncode, 2, "a server writes there: " + done.stdout + done.stderr)
        self.assertFalse(os.path.exists(fresh), "nothing was begun")
        scene.pawl.stop()
        for archive, data in ((os.path.join(scene.directory, "nothing"), os.path.join(scene.directory, "r1")), (scene.pawl.archive, scene.pawl.data)):
            done = scene.pawl.run("restore", archive, "--data", data)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertTrue(done.stderr.strip())
        self.clean(scene, 1)
