"""The night of the article with real processes, under both profiles: a function that stands still while versions 3 and 4 are
written, a day that passes in a second, and a function that is mended."""

import time

from blackbox import suite
from blackbox.servers import Cleanup, Pawl
from blackbox.client_case import NotInTime
from shared import Case, Scene


class Night(Pawl):
    def __init__(self, *arguments, options=(), **more):
        super().__init__(*arguments, **more)
        self.options = list(options)

    def command(self):
        return super().command() + self.options


def play(pawl, day_s=1, **patience):
    """Returns the versions that are in the bucket in the end. `patience`: for what is written by day."""
    scene = Scene(pawl.url)
    scene.warm()
    scene.map()
    time.sleep(1.5)  # under aws it begins to poll a second later
    for version in range(3):
        scene.put("A000001", version)
    scene.await_logs([f"A000001-{version}" for version in range(3)], **patience)
    scene.stop_function()
    for version in (3, 4):
        scene.put("A000001", version)
    time.sleep(3 * day_s + 1)
    scene.mend_function()
    time.sleep(1)
    scene.put("A000001", 5)
    scene.await_logs(["A000001-5"], **patience)
    time.sleep(0.5)
    return scene, sorted(scene.logs())


class Profiles(Case):
    def serve(self, cleanup, *options):
        context = suite.current()
        pawl = Night(context.require_binary(), context.ports, cleanup.directory(), options=options)
        return cleanup.add(pawl).start()

    def test_aws_loses_three_and_four_and_says_nothing(self):
        """A machine that is so busy that versions get lost by day has longer days."""
        for day_s in (1, 4):
            try:
                return self.lose_three_and_four(day_s, timeout_s=day_s + 5)
            except NotInTime:
                pass
        return self.lose_three_and_four(day_s=16)

    def lose_three_and_four(self, day_s, **patience):
        with Cleanup() as cleanup:
            pawl = self.serve(cleanup, "--profile", "aws", "--time-scale", str(86400 // day_s))
            scene, found = play(pawl, day_s, **patience)
            self.assertEqual(found, ["A000001-0", "A000001-1", "A000001-2", "A000001-5"])
            self.assertEqual(scene.get()["LastProcessingResult"], "OK")
            status = pawl.status()
            self.assertEqual(status["profile"], "aws")
            self.assertEqual(status["mappings"][0]["dead_letters"], 0)
            self.assertNotIn("mapping-blocked", [alarm["kind"] for alarm in status["alarms"]])
            self.assertIn("profile aws", pawl.log_end())

    def test_pawl_loses_none(self):
        with Cleanup() as cleanup:
            pawl = self.serve(cleanup)
            _, found = play(pawl)
            self.assertEqual(found, [f"A000001-{version}" for version in range(6)])
            self.assertEqual(pawl.status()["profile"], "pawl")

    def test_time_scale_is_for_aws(self):
        with Cleanup() as cleanup:
            context = suite.current()
            pawl = Night(context.require_binary(), context.ports, cleanup.directory())
            done = pawl.run("serve", "--data", pawl.data, "--time-scale", "10")
            self.assertEqual(done.returncode, 2)
            self.assertIn("profile", done.stderr)
