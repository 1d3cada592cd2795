"""The article's fault: the way to the archive stands still. Nothing is lost, somebody is told, it catches up."""

import os
import subprocess
import time

from blackbox import suite
from scene import Scene, SceneCase


class BlockedArchive(SceneCase):
    """The archive is a small disk of its own that is filled up: a fault that stops even root."""

    def setUp(self):
        suite.current().require_binary()
        if os.geteuid() != 0:
            self.skipTest("needs root, to mount")
        self.mount = os.path.join(suite.current().cleanup.directory(), "disk")
        os.makedirs(self.mount)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", self.mount], check=False, capture_output=True).returncode:
            self.skipTest("mounting is forbidden here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.mount], check=True)

    def fill(self):
        """Takes every byte and then every inode that is left."""
        with open(os.path.join(self.mount, "ballast"), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    def test_three_and_four_are_held_and_archived_later(self):
        scene = Scene(archive=os.path.join(self.mount, "archive"))
        self.addCleanup(scene.pawl.stop)
        scene.create("users")
        scene.put("users", "A000001", _version={"N": "0"})
        scene.count("users", "A000001")
        scene.count("users", "A000001")
        scene.objects("users", 3)
        self.fill()
        for expected in (3, 4, 5):
            self.assertEqual(scene.count("users", "A000001"), expected, "writes go on while the archive stands still")
        deadline = time.monotonic() + 120
        while True:
            status, text = scene.status_text()
            if status == 1 and "stalled" in text:
                break
            self.assertLess(time.monotonic(), deadline, "nobody was told: " + text)
            time.sleep(0.3)
        self.assertEqual(len(scene.objects("users", 3)), 3)
        self.assertEqual(scene.get("users", "A000001")["_version"], {"N": "5"})
        os.unlink(os.path.join(self.mount, "ballast"))
        objects = scene.objects("users", 6)
        self.assertEqual(sorted(d["object"] for d in objects), [f"logs/A000001-{n}.log" for n in range(6)])
        deadline = time.monotonic() + 120
        while scene.status_text()[0] != 0:
            self.assertLess(time.monotonic(), deadline, "all is well again, and status does not say so: " + scene.status_text()[1])
            time.sleep(0.3)
        self.clean(scene, 6)

    def test_held_over_a_crash(self):
        scene = Scene(archive=os.path.join(self.mount, "archive"))
        self.addCleanup(scene.pawl.stop)
        scene.create("users")
        scene.put("users", "A", _version={"N": "0"})
        scene.objects("users", 1)
        self.fill()
        for _ in range(20):
            scene.count("users", "A")
        scene.pawl.kill()
        os.unlink(os.path.join(self.mount, "ballast"))
        scene.pawl.start()
        self.assertEqual(sorted(d["version"] for d in scene.objects("users", 21)), list(range(21)))
        self.clean(scene, 21)


class Quiet(SceneCase):
    def test_idle_is_said_only_after_a_heartbeat(self):
        scene = Scene()
        scene.create("users")
        scene.put("users", "A", _version={"N": "0"})
        scene.objects("users", 1)
        deadline = time.monotonic() + 120
        while True:
            status, text = scene.status_text()
            if status == 0 and "idle" in text:
                break
            self.assertLess(time.monotonic(), deadline, text)
            time.sleep(0.3)
        self.clean(scene, 1)
