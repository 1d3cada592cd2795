"""A data directory restored from an older copy, under an archive that is ahead of it."""

import json
import os
import shutil

from scene import Scene, SceneCase


class OlderCopy(SceneCase):
    def ahead(self):
        """A scene whose data directory is an older copy: the archive (elsewhere) has 5 versions, the table only 2."""
        from blackbox import suite
        directory = suite.current().cleanup.directory()
        scene = Scene(archive=os.path.join(directory, "archive"), directory=directory)
        scene.create("users")
        scene.put("users", "A", _version={"N": "0"})
        scene.count("users", "A")
        scene.objects("users", 2)
        scene.pawl.stop()
        shutil.copytree(scene.pawl.data, scene.pawl.data + ".copy")
        scene.pawl.start()
        for _ in range(3):
            scene.count("users", "A")
        scene.put("users", "B", _version={"N": "0"})
        scene.objects("users", 6)
        scene.pawl.stop()
        shutil.rmtree(scene.pawl.data)
        os.rename(scene.pawl.data + ".copy", scene.pawl.data)
        return scene

    def test_writes_are_refused_until_adopt(self):
        scene = self.ahead()
        scene.pawl.start()
        for operation, body in (("PutItem", {"Item": {"hashid": {"S": "C"}}}), ("DeleteItem", {"Key": {"hashid": {"S": "A"}}})):
            reply = scene.reply(operation, TableName="users", **body)
            self.assertGreaterEqual(reply.status, 400, reply.body)
            self.assertIn("adopt", reply.message(), reply.body)
        self.assertEqual(scene.get("users", "A")["_version"], {"N": "1"}, "reads go on")
        status, text = scene.status_text()
        self.assertEqual(status, 1, text)
        self.assertIn("adopt", text)
        scene.pawl.kill()
        scene.pawl.start()
        self.assertGreaterEqual(scene.reply("PutItem", TableName="users", Item={"hashid": {"S": "C"}}).status, 400, "a restart forgives nothing")

    def test_adopt_goes_on_and_keeps_what_was_left_behind(self):
        scene = self.ahead()
        where = ["--data", scene.pawl.data, "--archive", "dir:" + scene.pawl.archive]
        scene.pawl.start()
        done = scene.pawl.run("adopt", *where, "--yes")
        self.assertEqual(done.returncode, 2, "a server is running: " + done.stdout + done.stderr)
        self.assertIn("stop that one first", done.stderr)
        scene.pawl.stop()
        done = scene.pawl.run("adopt", *where)
        self.assertEqual(done.returncode, 2, "nobody said yes: " + done.stdout + done.stderr)
        self.assertIn("--yes", done.stderr)
        self.assertIn("'users'", done.stderr, "it says what it would do")
        done = scene.pawl.run("adopt", *where, "--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = scene.pawl.run("adopt", *where)
        self.assertEqual(done.returncode, 0, "nothing is left to adopt: " + done.stdout + done.stderr)
        scene.pawl.start()
        self.assertEqual(scene.count("users", "A"), 2)
        scene.put("users", "C", _version={"N": "0"})
        objects = scene.objects("users", 8)
        self.assertEqual(len({d["object"] for d in objects}), 8)
        self.assertEqual(len({d["incarnation"] for d in objects}), 2)
        status = scene.pawl.status()
        self.assertEqual(status["writes"], "taken")
        self.assertEqual([a["kind"] for a in status["alarms"]], ["counter-reset"], "the left past has the name of version 2")
        self.assertEqual(scene.status_text()[0], 0, "nothing is left to be done")
        self.clean(scene)
        done = scene.pawl.run("history", scene.pawl.archive, "A", "--json")
        told = [(v["incarnation"], v["version"]) for v in json.loads(done.stdout)["versions"]]
        self.assertEqual(sorted(v for _, v in told), [0, 1, 2, 2, 3, 4], "both pasts: " + done.stdout)

    def test_the_archive_restores_what_the_copy_lacks(self):
        scene = self.ahead()
        shutil.rmtree(scene.pawl.data)
        done = scene.pawl.run("restore", scene.pawl.archive, "--data", scene.pawl.data)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        scene.pawl.start()
        self.assertEqual(scene.get("users", "A")["_version"], {"N": "4"})
        self.assertEqual(scene.count("users", "A"), 5)
        scene.objects("users", 7)
        self.clean(scene)


class LostData(SceneCase):
    def test_an_empty_data_directory_under_a_used_archive(self):
        """The disk with the tables is gone: starting on nothing must not look like everything is well."""
        from blackbox import suite
        directory = suite.current().cleanup.directory()
        scene = Scene(archive=os.path.join(directory, "archive"), directory=directory)
        scene.create("users")
        scene.put("users", "A", _version={"N": "0"})
        scene.objects("users", 1)
        scene.pawl.stop()
        shutil.rmtree(scene.pawl.data)
        try:
            scene.pawl.start()
        except Exception as error:  # noqa: BLE001  # ending with status 2 and a reason is one honest answer
            self.assertIn("status 2", str(error))
            self.assertIn("restore", str(error))
            return
        status, text = scene.status_text()
        self.assertEqual(status, 1, text)
        self.assertTrue("adopt" in text or "restore" in text, text)
