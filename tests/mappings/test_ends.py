"""Streams that end under their mappings."""

import time

from blackbox import suite
from blackbox.servers import Cleanup, Pawl
from shared import Case, Scene, wait_until

ON = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


class Ends(Case):
    def switch(self, scene, specification):
        scene.ddb.update_table(TableName=scene.name, StreamSpecification=specification)

    def test_another_streams_changes_are_not_its_own(self):
        context = suite.current()
        with Cleanup() as cleanup:
            pawl = cleanup.add(Pawl(context.require_binary(), context.ports, cleanup.directory(),
                                    '[server]\nstream_retention = "1s"\n')).start()
            scene = Scene(pawl.url)
            scene.map()
            scene.put("old", 0)
            scene.await_logs(["old-0"])
            self.switch(scene, {"StreamEnabled": False})
            wait_until(lambda: all(one["checkpoint"] == one["newest"] for one in scene.status(pawl)["shards"]),
                       what="reading it to its end")
            time.sleep(1.5)  # it runs out
            self.switch(scene, ON)  # and is forgotten
            for life in range(2):
                scene.put("new", life)
                time.sleep(1.5)
                self.assertEqual(scene.logs(), {"old-0"})
                self.assertEqual(scene.status(pawl)["lag"], 0)
                self.assertEqual([alarm for alarm in pawl.status()["alarms"] if alarm["kind"].startswith("mapping")], [])
                pawl.stop()
                pawl.start()

    def test_what_was_not_read_outlives_the_retention(self):
        context = suite.current()
        with Cleanup() as cleanup:
            pawl = cleanup.add(Pawl(context.require_binary(), context.ports, cleanup.directory(),
                                    '[server]\nstream_retention = "1s"\n')).start()
            scene = Scene(pawl.url)
            scene.map(Enabled=False)
            scene.put("old", 0)
            self.switch(scene, {"StreamEnabled": False})
            time.sleep(1.5)
            self.switch(scene, ON)
            scene.put("new", 0)
            self.assertEqual([alarm["standing"] for alarm in pawl.status()["alarms"] if alarm["kind"] == "mapping-paused"], [False])
            scene.api.update_event_source_mapping(UUID=scene.uuid, Enabled=True)
            scene.await_logs(["old-0"])
            wait_until(lambda: scene.status(pawl)["lag"] == 0, what="the end of the lag")
            self.assertEqual(scene.logs(), {"old-0"})
