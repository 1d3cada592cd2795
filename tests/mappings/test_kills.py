"""The server killed at random instants while changes are written and delivered: every version has its object, in order, and the
mapping goes on."""

import random
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from blackbox import suite
from blackbox.servers import Cleanup, Pawl
from shared import Case, Scene, client, wait_until

KILLS = 8
WRITERS = 4


class Writers:
    def __init__(self, scene):
        self.scene, self.ended = scene, threading.Event()
        self.acknowledged = [0] * WRITERS
        self.threads = [threading.Thread(target=self.write, args=(n,), daemon=True) for n in range(WRITERS)]

    def write(self, number):
        ddb, version = client("dynamodb", self.scene.url), 0
        while not self.ended.is_set():
            try:
                ddb.put_item(TableName=self.scene.name, Item={"id": {"S": f"w{number}"}, "v": {"N": str(version)}})
                version += 1
                self.acknowledged[number] = version
            except (BotoCoreError, ClientError):
                time.sleep(0.05)
            time.sleep(0.01)


class Kills(Case):
    def test_every_version_has_its_object(self):
        context = suite.current()
        with Cleanup() as cleanup:
            pawl = cleanup.add(Pawl(context.require_binary(), context.ports, cleanup.directory())).start()
            scene = Scene(pawl.url)
            scene.map(BatchSize=10)
            writers = Writers(scene)
            for thread in writers.threads:
                thread.start()
            for _ in range(KILLS):
                time.sleep(random.uniform(0.3, 2.5))
                pawl.kill()
                pawl.start()
            writers.ended.set()
            for thread in writers.threads:
                thread.join()
            wanted = {f"w{n}-{version}" for n in range(WRITERS) for version in range(writers.acknowledged[n])}
            self.assertGreater(len(wanted), 50)
            scene.await_logs(wanted, 120)
            wait_until(lambda: scene.status(pawl)["lag"] == 0, what="the end of the lag")
            self.check_order(scene.batches())
            self.assertEqual(scene.status(pawl)["dead_letters"], 0)
            self.assertEqual(pawl.run("verify", pawl.archive).returncode, 0)
