"""What is delivered, how it looks, and in which order."""

import json
import threading
import time

from blackbox import suite
from shared import Case, Scene, client, wait_until


class Delivery(Case):
    def test_a_record_is_that_of_the_stream(self):
        scene = Scene()
        scene.map()
        scene.put("A", 0)
        scene.put("A", 1)
        scene.ddb.delete_item(TableName=scene.name, Key={"id": {"S": "A"}})
        scene.await_logs(["A-0", "A-1", "A-removed"])
        streams = client("dynamodbstreams")
        of_stream = []
        for shard in streams.describe_stream(StreamArn=scene.arn)["StreamDescription"]["Shards"]:
            iterator = streams.get_shard_iterator(StreamArn=scene.arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
            of_stream += streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
        for record, name in zip(of_stream, ("A-0", "A-1", "A-removed")):
            record["dynamodb"]["ApproximateCreationDateTime"] = int(record["dynamodb"]["ApproximateCreationDateTime"].timestamp())
            given = json.loads(scene.body(f"logs/{name}.log"))
            self.assertEqual(given.pop("eventSourceARN"), scene.arn)
            self.assertEqual(given, record)

    def test_many_writers_in_order(self):
        scene = Scene()
        scene.map(BatchSize=20)

        def write(writer):
            for version in range(40):
                scene.put(f"w{writer}", version)
        threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        scene.await_logs([f"w{writer}-{version}" for writer in range(6) for version in range(40)])
        batches = scene.batches()
        self.check_order(batches)
        self.assertLessEqual(max(len(batch) for batch in batches), 20)

    def test_latest_begins_at_its_creation(self):
        scene = Scene()
        for n in range(10):
            scene.put(f"before{n}")
        scene.map(StartingPosition="LATEST", Enabled=False)
        for n in range(10):
            scene.put(f"after{n}")
        scene.api.update_event_source_mapping(UUID=scene.uuid, Enabled=True)
        scene.await_logs([f"after{n}-0" for n in range(10)])
        self.assertEqual(len(scene.logs()), 10)

    def test_filters(self):
        scene = Scene()
        pattern = json.dumps({"eventName": ["INSERT"], "dynamodb": {"Keys": {"id": {"S": [{"prefix": "yes"}]}}}})
        scene.map(FilterCriteria={"Filters": [{"Pattern": pattern}]})
        for key in ("no1", "yes1", "no2", "yes2"):
            scene.put(key)
            scene.put(key, 1)
        scene.await_logs(["yes1-0", "yes2-0"])
        pawl = suite.current().require_pawl()
        wait_until(lambda: scene.status(pawl)["lag"] == 0, what="passing over the rest")
        self.assertEqual(scene.logs(), {"yes1-0", "yes2-0"})

    def test_a_window_gathers(self):
        scene = Scene()
        scene.warm()
        scene.map(MaximumBatchingWindowInSeconds=2, BatchSize=1000)
        begun = time.monotonic()
        for version in range(20):
            scene.put("one", version)
            time.sleep(0.02)
        windows = int((time.monotonic() - begun) / 2) + 1
        scene.await_logs([f"one-{version}" for version in range(20)])
        self.assertLessEqual(len(scene.batches()), windows + 1, "half a second on a quiet machine")

    def test_paused_and_resumed(self):
        scene = Scene()
        scene.map()
        scene.put("A", 0)
        scene.await_logs(["A-0"])
        scene.api.update_event_source_mapping(UUID=scene.uuid, Enabled=False)
        wait_until(lambda: scene.state() == "Disabled", what="disabling")
        scene.put("A", 1)
        time.sleep(1)
        self.assertEqual(scene.logs(), {"A-0"})
        scene.api.update_event_source_mapping(UUID=scene.uuid, Enabled=True)
        scene.await_logs(["A-1"])

    def test_reads_a_deleted_table_to_its_end(self):
        scene = Scene()
        scene.map(Enabled=False)
        for version in range(30):
            scene.put("A", version)
        scene.ddb.delete_table(TableName=scene.name)
        scene.api.update_event_source_mapping(UUID=scene.uuid, Enabled=True)
        scene.await_logs([f"A-{version}" for version in range(30)])
