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
            time.sleep(0.03)


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
            scene.await_logs(wanted, 300)
            wait_until(lambda: scene.status(pawl)["lag"] == 0, what="the end of the lag")
            self.check_order(scene.batches())
            self.assertEqual(scene.status(pawl)["dead_letters"], 0)
            self.assertEqual(pawl.run("verify", pawl.archive).returncode, 0)

    def test_little_of_a_long_queue_is_delivered_again(self):
        context, changes, batch = suite.current(), 800, 10
        with Cleanup() as cleanup:
            pawl = cleanup.add(Pawl(context.require_binary(), context.ports, cleanup.directory())).start()
            scene = Scene(pawl.url)
            for first in range(0, changes, 25):
                scene.ddb.batch_write_item(RequestItems={scene.name: [
                    {"PutRequest": {"Item": {"id": {"S": f"k{n}"}, "v": {"N": "0"}}}} for n in range(first, first + 25)]})
            scene.map(BatchSize=batch)
            wait_until(lambda: len(scene.names("batches/")) >= changes // batch // 2, 300, "half of the queue")
            before = sum(len(one) for one in scene.batches())
            pawl.kill()
            pawl.start()
            scene.await_logs([f"k{n}-0" for n in range(changes)], 300)
            wait_until(lambda: scene.status(pawl)["lag"] == 0, what="the end of the lag")
            batches = scene.batches()
            self.check_order(batches)
            given = [(shard, sequence) for one in batches for _, sequence, shard in one]
            again = len(given) - len(set(given))
            # A shard's call under way, the one before it, and those that fit into the time in which checkpoints gather.
            self.assertLessEqual(again, 4 * batch * len(scene.status(pawl)["shards"]), f"{before} had been delivered")
            self.assertLess(again, before)
