"""The server is killed in the middle: nothing is missing afterwards, and nothing is entered twice."""

import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from blackbox import suite
from shared import DEADLINE_S, Case, Scene, wait_until


class Kills(Case):
    def write_through(self, scene, key, versions, do):
        """A client that goes on until each version is acknowledged."""
        for version in range(versions):
            for _ in range(600):
                try:
                    scene.ddb.put_item(TableName="users", Item={
                        "id": {"S": key}, "v": {"N": str(version)}, **({"do": {"S": do}} if do and version % 5 == 2 else {})})
                    break
                except (BotoCoreError, ClientError):
                    time.sleep(0.1)
            else:
                raise AssertionError("never acknowledged")
            time.sleep(0.05)

    @suite.alone
    def test_the_server_is_killed_again_and_again(self):
        # Of the streams nothing is kept: what holds the changes is the expectation alone.
        scene = Scene(server='stream_retention = "1s"')
        writers = [threading.Thread(target=self.write_through, args=(scene, key, 60, do))
                   for key, do in (("A", None), ("B", "drop-once"), ("C", "drop"))]
        for writer in writers:
            writer.start()
        for _ in range(4):
            time.sleep(2.5)
            scene.pawl.kill()
            scene.pawl.start()
        for writer in writers:
            writer.join()
        # A write whose answer was lost and that was sent again counts as often as it was done.
        committed = wait_until(scene.expectation, what="a status")["committed"]
        self.assertGreaterEqual(committed, 180)
        status = scene.settle(changes=committed, timeout_s=300)
        self.assertEqual(status["committed"], committed)
        code, report = scene.verify()
        self.assertEqual(code, 0, report)
        self.assertEqual((report["versions"], report["gaps"], report["foreign"] + report["repaired"]),
                         (committed, 0, committed), report)
        self.assertGreaterEqual(report["repaired"], 12)
        names = set(scene.names())
        for key in "ABC":
            for version in range(60):
                name = f"logs/{key}-{version}.log"
                self.assertTrue(name in names or name + "~repaired" in names, name)

    def test_a_kill_while_an_object_is_awaited_forgets_nothing(self):
        scene = Scene()
        scene.put("A", 0, "drop")
        wait_until(lambda: (scene.expectation() or {}).get("awaited") == 1, what="waiting for it")
        scene.pawl.kill()
        scene.pawl.start()

        def asked():
            one = scene.expectation()
            return one and (one.get("oldest_age_ms", 0) > 1000 * (DEADLINE_S + 2) or one["entered"] == 1)
        wait_until(asked, what="the second deadline's time")
        scene.pawl.kill()
        scene.pawl.start()
        status = scene.settle()
        self.assertEqual(status["written"], 1)
        self.check_sound(scene, foreign=0, repaired=1)

    def test_a_clean_stop_ends_soon_and_goes_on(self):
        scene = Scene(deadline_s=8)
        for version in range(5):
            scene.put("A", version, "drop-once" if version == 4 else None)
        began = time.monotonic()
        self.assertEqual(scene.pawl.stop(), 0)
        self.assertLess(time.monotonic() - began, 60, "it waits for no deadline and no function")
        scene.pawl.start()
        scene.settle()
        _, report = scene.verify()
        self.assertEqual((report["verdict"], report["foreign"], report["repaired"]), ("sound", 5, 0), report)
