"""Data directory and archive on one small ext4 (loop-mounted, so needs root)."""

import base64
import os
import random
import subprocess
import time

from blackbox import servers, suite
from scene import Scene, SceneCase

DISK_MIB = 256
RESERVE_MIB = 48
CONFIG = f"""
[server]
reserve_bytes = {RESERVE_MIB << 20}
reserve_inodes = 400
"""
# Incompressible: what the store compresses away fills no disk.
PAD = base64.b64encode(random.Random(1).randbytes(37_500)).decode()


def run(*command):
    return subprocess.run(command, check=False, capture_output=True, text=True)


class FullDisk(SceneCase):
    def setUp(self):
        suite.current().require_binary()
        if os.geteuid() != 0:
            self.skipTest("needs root, to mount")
        directory = suite.current().cleanup.directory()
        self.mount, image = os.path.join(directory, "disk"), os.path.join(directory, "image")
        os.makedirs(self.mount)
        with open(image, "wb") as file:
            file.truncate(DISK_MIB << 20)
        made = run("mkfs.ext4", "-q", "-m", "0", "-N", "3000", image)
        mounted = made if made.returncode else run("mount", "-o", "loop", image, self.mount)
        if mounted.returncode:
            self.skipTest("no small disk can be made here: " + mounted.stderr.strip())
        self.addCleanup(run, "umount", "-l", self.mount)
        self.ballast = os.path.join(self.mount, "ballast")
        self.acked = {}

    def scene(self):
        scene = Scene(directory=self.mount, config=CONFIG)
        self.addCleanup(scene.pawl.stop)
        scene.create("users")
        return scene

    def free_mib(self):
        disk = os.statvfs(self.mount)
        return (disk.f_bavail * disk.f_frsize) >> 20

    def take(self, leave_mib):
        """Fills the disk with ballast until about that much is left."""
        size = max(0, self.free_mib() - leave_mib) << 20
        with open(self.ballast, "ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), size)

    def take_everything(self):
        with open(self.ballast, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    def write_until_refused(self, scene, most=4000, pad=PAD):
        """Puts items one after the other; returns the first refusal. A lost connection counts as unknown."""
        for number in range(len(self.acked), len(self.acked) + most):
            key = f"k{number}"
            reply = scene.reply("PutItem", TableName="users", Item={"hashid": {"S": key}, "_version": {"N": "0"}, "pad": {"S": pad}})
            if reply.status != 200:
                return reply
            self.acked[key] = pad
        self.fail(f"{most} items of {len(pad)} bytes were taken on a disk with {self.free_mib()} MiB left")

    def all_there(self, scene):
        for key, pad in self.acked.items():
            item = scene.get("users", key)
            self.assertTrue(item, f"acknowledged item {key} is lost")
            self.assertEqual(item["pad"]["S"], pad)

    def taken_again(self, scene):
        deadline = time.monotonic() + 120
        while True:
            reply = scene.reply("PutItem", TableName="users", Item={"hashid": {"S": "again"}, "_version": {"N": "0"}, "pad": {"S": "y"}})
            if reply.status == 200:
                self.acked["again"] = "y"
                return
            self.assertLess(time.monotonic(), deadline, f"there is room again, and still: {reply.body[:300]!r}")
            time.sleep(0.3)

    def alarmed(self, scene):
        deadline = time.monotonic() + 120
        while True:
            status, text = scene.status_text()
            if status == 1 and any(word in text.lower() for word in ("room", "space", "full", "inode")):
                return
            self.assertLess(time.monotonic(), deadline, f"status {status} says nothing of the full disk: {text}")
            time.sleep(0.3)

    def refusal_is_clear(self, reply):
        self.assertIn(reply.status, (400, 500, 503), reply.body)
        self.assertTrue(any(word in reply.message().lower() for word in ("room", "space", "full", "inode")), reply.body)

    def test_bytes(self):
        scene = self.scene()
        self.take(RESERVE_MIB + 40)
        self.refusal_is_clear(self.write_until_refused(scene))
        self.assertGreater(len(self.acked), 20, "refused long before the reserve")
        self.alarmed(scene)
        self.all_there(scene)
        self.assertIsNone(scene.get("users", f"k{len(self.acked)}"), "a refused write took effect")
        scene.objects("users", len(self.acked))  # the reserve is enough to archive what was acknowledged
        os.unlink(self.ballast)
        self.taken_again(scene)
        self.all_there(scene)
        scene.objects("users", len(self.acked))
        self.clean(scene, len(self.acked))

    def test_inodes(self):
        scene = self.scene()
        reply = self.write_until_refused(scene, most=3500, pad="x")
        self.refusal_is_clear(reply)
        self.assertGreater(len(self.acked), 500)
        self.alarmed(scene)
        self.all_there(scene)
        scene.objects("users", len(self.acked))
        self.clean(scene, len(self.acked))

    def test_somebody_else_takes_the_last_byte(self):
        """Below even the reserve: the server may have to stop, but what it acknowledged is there when there is room."""
        scene = self.scene()
        self.take(RESERVE_MIB + 60)
        for number in range(30):
            scene.put("users", f"first{number}", _version={"N": "0"}, pad={"S": PAD})
            self.acked[f"first{number}"] = PAD
        self.take_everything()
        unknown = set()
        for number in range(60):
            key = f"late{number}"
            try:
                reply = scene.reply("PutItem", TableName="users", Item={"hashid": {"S": key}, "_version": {"N": "0"}, "pad": {"S": PAD}})
            except (OSError, Exception):  # noqa: BLE001  # the connection broke: the outcome is unknown
                unknown.add(key)
                break
            if reply.status == 200:
                self.acked[key] = PAD
            elif reply.status >= 500:
                unknown.add(key)
        running = scene.pawl.process.poll() is None
        if running:
            self.all_there(scene)
        os.unlink(self.ballast)
        if not running:
            scene.pawl.start()
        self.taken_again(scene)
        self.all_there(scene)
        scene.objects("users", len(self.acked))
        self.clean(scene)

    def test_start_on_a_full_disk(self):
        scene = self.scene()
        scene.put("users", "first", _version={"N": "0"}, pad={"S": PAD})
        self.acked["first"] = PAD
        scene.objects("users", 1)
        scene.pawl.stop()
        self.take_everything()
        try:
            scene.pawl.start()
        except servers.StartFailed as error:
            self.assertIn("status 2", str(error))
            self.assertTrue(any(word in str(error).lower() for word in ("room", "space", "full")), str(error))
        else:
            self.refusal_is_clear(scene.reply("PutItem", TableName="users", Item={"hashid": {"S": "x"}}))
            self.all_there(scene)
            scene.pawl.stop()
        os.unlink(self.ballast)
        scene.pawl.start()
        self.taken_again(scene)
        self.all_there(scene)
        scene.objects("users", len(self.acked))
        self.clean(scene, len(self.acked))
