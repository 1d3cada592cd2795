"""Every version keeps an object of its own: deletion, re-creation and a reset counter overwrite nothing."""

from blackbox import archive_reader
from scene import Scene, SceneCase


def names(objects):
    return sorted(d["object"] for d in objects)


class Versions(SceneCase):
    def test_the_article_s_names(self):
        scene = Scene()
        scene.create("users")
        scene.put("users", "A000001", _version={"N": "0"})
        for expected in (1, 2, 3, 4, 5):
            self.assertEqual(scene.count("users", "A000001"), expected)
        scene.delete("users", "A000001")
        objects = scene.objects("users", 7)
        self.assertEqual(names(objects), sorted([f"logs/A000001-{n}.log" for n in range(6)] + ["logs/A000001-5.log.removed-6"]))
        self.assertEqual([(d["version"], d["kind"]) for d in objects],
                         [(0, "INSERT")] + [(n, "MODIFY") for n in range(1, 6)] + [(6, "REMOVE")])
        self.clean(scene, 7)

    def test_a_reset_counter_loses_no_version_and_alarms_once(self):
        scene = Scene()
        scene.create("users")
        for _ in range(3):
            scene.put("users", "A", _version={"N": "0"})
            scene.count("users", "A")
            scene.count("users", "A")
            scene.delete("users", "A")
        objects = scene.objects("users", 12)
        self.assertEqual([d["version"] for d in objects], list(range(12)))
        self.assertEqual(len(set(names(objects))), 12)
        for plain in ("logs/A-0.log", "logs/A-1.log", "logs/A-2.log"):
            first = [d for d in objects if d["object"] == plain]
            self.assertEqual([d["version"] for d in first], [int(plain[7])], "the first version keeps its name")
            self.assertEqual(sum(d["object"].startswith(plain + "~") for d in objects), 2)
        resets = [e for e in scene.root_events() if e["type"] == "counter-reset"]
        self.assertEqual(len(resets), 1, resets)
        status, text = scene.status_text()
        self.assertEqual(status, 0, "it was told, and asks nothing of anybody: " + text)
        self.assertIn("counter-reset", text)
        self.assertEqual([(a["kind"], a["standing"]) for a in scene.pawl.status()["alarms"]], [("counter-reset", False)])
        # Once a table also means: not again after a restart.
        scene.pawl.kill()
        scene.pawl.start()
        scene.put("users", "A", _version={"N": "0"})
        scene.objects("users", 13)
        self.assertEqual(len([e for e in scene.root_events() if e["type"] == "counter-reset"]), 1)
        self.clean(scene, 13)

    def test_a_table_created_again(self):
        scene = Scene()
        for _ in range(3):
            for table in ("users", "plain"):
                scene.create(table)
                scene.put(table, "A", _version={"N": "0"})
                scene.count(table, "A")
                scene.call("DeleteTable", TableName=table)
        for table in ("users", "plain"):
            objects = scene.objects(table, 6)
            self.assertEqual(len(objects), 6)
            incarnations = {}
            for d in objects:
                incarnations.setdefault(d["incarnation"], []).append(d["version"])
            self.assertEqual(sorted(incarnations.values()), [[0, 1]] * 3)
        self.clean(scene, 12)

    def test_an_unrecorded_table_has_no_objects(self):
        scene = Scene()
        scene.create("unrecorded")
        scene.create("users")
        scene.put("unrecorded", "A")
        scene.put("users", "A", _version={"N": "0"})
        scene.objects("users", 1)
        self.assertEqual(scene.get("unrecorded", "A"), {"hashid": {"S": "A"}})
        scene.pawl.stop()
        self.assertEqual({d["table"] for d in archive_reader.read_objects(scene.pawl.archive)}, {"users"})

    def test_a_write_that_changes_nothing_is_no_version(self):
        scene = Scene()
        scene.create("users")
        for _ in range(3):
            scene.put("users", "A", _version={"N": "0"})
        scene.delete("users", "nobody")
        scene.put("users", "last", _version={"N": "0"})
        self.assertEqual(names(scene.objects("users", 2)), ["logs/A-0.log", "logs/last-0.log"])
        self.clean(scene, 2)

    def test_history_shows_every_version(self):
        import json
        scene = Scene()
        scene.create("users")
        scene.put("users", "A000001", _version={"N": "0"})
        for _ in range(4):
            scene.count("users", "A000001")
        scene.objects("users", 5)
        scene.pawl.stop()
        done = scene.pawl.run("history", scene.pawl.archive, "A000001", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        listed = json.loads(done.stdout)["versions"]
        self.assertEqual([v["version"] for v in listed], [0, 1, 2, 3, 4])
        one = scene.pawl.run("history", scene.pawl.archive, "A000001", "--version", "3")
        self.assertEqual(one.returncode, 0, one.stderr)
        self.assertIn('"3"', one.stdout)
        self.assertEqual(scene.pawl.run("history", scene.pawl.archive, "nobody").returncode, 1)
