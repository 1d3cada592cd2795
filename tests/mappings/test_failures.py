"""Functions that fail in all their ways: nothing is lost, the order stays, and what is poisoned is named."""

import json

from blackbox import suite
from shared import Case, Scene, client, wait_until


class Failures(Case):
    def test_a_poisoned_record_is_a_dead_letter(self):
        pawl = suite.current().require_pawl()
        scene = Scene()
        sqs = client("sqs")
        queue = sqs.create_queue(QueueName=scene.name)["QueueUrl"]
        scene.map(MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:000000000000:{scene.name}"}})
        for n in range(30):
            scene.put(f"k{n}", 0, "raise" if n == 13 else None)
        scene.await_logs([f"k{n}-0" for n in range(30) if n != 13])
        wait_until(lambda: scene.status(pawl)["lag"] == 0, what="passing the poisoned record")
        status = scene.status(pawl)
        self.assertEqual(status["dead_letters"], 1)
        letter = status["newest_dead_letters"][0]
        self.assertEqual(json.loads(letter["key"]), {"id": {"S": "k13"}})
        self.assertEqual(letter["condition"], "RetryAttemptsExhausted")
        self.assertIn("poisoned: k13", letter["why"])
        self.assertIn("dead-letters", [alarm["kind"] for alarm in pawl.status()["alarms"]])
        message = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"][0]
        told = json.loads(message["Body"])
        self.assertEqual(told["requestContext"]["condition"], "RetryAttemptsExhausted")
        self.assertEqual(told["DDBStreamBatchInfo"]["batchSize"], 1)
        self.assertEqual(told["DDBStreamBatchInfo"]["startSequenceNumber"], letter["sequence"])
        self.assertNotIn("payload", told)
        self.check_order(scene.batches(), [(letter["shard"], letter["sequence"])])

    def test_a_bucket_gets_the_whole_record(self):
        scene = Scene()
        scene.map(MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{scene.name}"}})
        scene.put("A", 0, "raise")
        name = wait_until(lambda: scene.names("aws/lambda/"), what="the failure's object")[0]
        self.assertTrue(name.startswith(f"aws/lambda/{scene.uuid}/shardId-"), name)
        told = json.loads(scene.body(name))
        record = json.loads(told["payload"])["Records"][0]
        self.assertEqual(record["dynamodb"]["NewImage"]["do"], {"S": "raise"})

    def test_without_an_end_of_retries_it_blocks_and_is_named(self):
        pawl = suite.current().require_pawl()
        scene = Scene()
        scene.map()
        scene.put("A", 0)
        scene.await_logs(["A-0"])
        scene.stop_function()
        scene.put("A", 1)
        scene.put("A", 2)

        def blocked():
            return [shard["blocked_by"] for shard in scene.status(pawl)["shards"] if "blocked_by" in shard]
        found = wait_until(blocked, what="naming it")[0]
        self.assertEqual(json.loads(found["key"]), {"id": {"S": "A"}})
        self.assertIn("stopped on purpose", found["why"])
        self.assertIn("mapping-blocked", [alarm["kind"] for alarm in pawl.status()["alarms"]])
        wait_until(lambda: "PROBLEM" in scene.get()["LastProcessingResult"], what="saying so to Lambda's clients")
        scene.mend_function()
        scene.await_logs(["A-1", "A-2"])
        wait_until(lambda: not blocked() and scene.get()["LastProcessingResult"] == "OK", what="good news")

    def test_exits_hangs_and_rubbish(self):
        scene = Scene(timeout_s=3)
        scene.map(FunctionResponseTypes=["ReportBatchItemFailures"])
        for n, do in enumerate([None, "exit", None, "hang", None, "rubbish", None]):
            scene.put(f"k{n}", 0, do)
        scene.await_logs([f"k{n}-0" for n in range(7)])
        self.check_order(scene.batches())

    def test_reported_items_are_tried_again(self):
        pawl = suite.current().require_pawl()
        scene = Scene()
        scene.map(FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=1)
        for n in range(10):
            scene.put("same", n, "report" if n == 4 else None)
        scene.await_logs([f"same-{n}" for n in range(10) if n != 4])
        wait_until(lambda: scene.status(pawl)["lag"] == 0, what="passing it")
        self.assertEqual(scene.status(pawl)["dead_letters"], 1)

    def test_a_function_that_is_gone_is_waited_for(self):
        scene = Scene()
        scene.map(Enabled=False, MaximumRetryAttempts=0)
        scene.api.delete_function(FunctionName=scene.name)
        scene.put("A")
        scene.api.update_event_source_mapping(UUID=scene.uuid, Enabled=True)
        wait_until(lambda: "PROBLEM" in scene.get()["LastProcessingResult"], what="saying so")
        pawl = suite.current().require_pawl()
        self.assertEqual(scene.status(pawl)["dead_letters"], 0)
