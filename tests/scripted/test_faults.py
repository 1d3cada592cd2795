"""Faults, clocks and counters: what control does to every service."""

import email.utils
import http.client
import threading
import time
import unittest

import server
from botocore.exceptions import ClientError, ConnectionClosedError


class Faults(unittest.TestCase):
    def setUp(self):
        self.aws = server.started("--seed", "7")
        self.addCleanup(self.aws.stop)
        self.s3 = self.aws.client("s3")
        self.s3.create_bucket(Bucket="b")

    def put(self, key="k", body=b"x", **headers):
        status, _, answer = self.aws.put("b", key, body, **headers)
        return status if status == 200 else (status, server.code_of(answer))

    def there(self, key="k"):
        return self.aws.request("HEAD", f"/b/{key}", headers={"Authorization": "x"})[0] == 200

    def test_500_applied_and_not(self):
        self.aws.control("faults", kind="500-applied", operation="PutObject", prefix="yes")
        self.aws.control("faults", kind="500-not-applied", operation="PutObject", name="^no[0-9]$")
        self.assertEqual((self.put("yes1"), self.there("yes1")), ((500, "InternalError"), True))
        self.assertEqual((self.put("no1"), self.there("no1")), ((500, "InternalError"), False))
        self.assertEqual(self.put("no12"), 200)

    def test_503_409_and_any_other_error(self):
        self.aws.control("faults", kind="503", operation="PutObject", count=1)
        self.aws.control("faults", kind="409", operation="PutObject", count=1, skip=1)
        self.aws.control("faults", kind="error", status=400, code="ExpiredToken", access_key="old")
        self.assertEqual(self.put(), (503, "SlowDown"))
        self.assertEqual(self.put(), (409, "ConditionalRequestConflict"))
        self.assertEqual(self.put(), 200)
        self.assertEqual(self.put(key_id="old"), (400, "ExpiredToken"))

    def test_a_connection_is_dropped_before_and_after(self):
        self.aws.control("faults", kind="drop-before", operation="PutObject", prefix="before")
        self.aws.control("faults", kind="drop-after", operation="PutObject", prefix="after")
        for key in ("before", "after"):
            with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
                self.put(key)
        self.assertFalse(self.there("before"))
        self.assertTrue(self.there("after"))
        self.assertEqual(self.aws.asked("counters")["requests"]["PutObject"], {"0": 2})

    def test_an_sdk_that_repeats_meets_412_for_its_own_write(self):
        self.aws.control("faults", kind="500-applied", operation="PutObject", count=1)
        retrying = self.aws.client("s3", attempts=3)
        retrying.meta.events.register("before-sign.s3.PutObject",
                                      lambda request, **_: request.headers.add_header("If-None-Match", "*"))
        with self.assertRaises(ClientError) as raised:
            retrying.put_object(Bucket="b", Key="k", Body=b"mine")
        self.assertEqual(server.code(raised.exception), "PreconditionFailed")
        self.assertEqual(self.s3.get_object(Bucket="b", Key="k")["Body"].read(), b"mine")

    def test_a_store_that_ignores_conditions(self):
        self.put("k", b"1")
        self.aws.control("faults", kind="ignore-conditions")
        self.assertEqual(self.put("k", b"2", if_none_match="*"), 200)
        self.assertEqual(self.aws.asked("puts/b")["overwritten"], 1)
        dynamodb = self.aws.client("dynamodb")
        self.aws.control("tables", table="users")
        for n in ("1", "2"):
            dynamodb.put_item(TableName="users", Item={"hashid": {"S": "A"}, "n": {"N": n}},
                              ConditionExpression="attribute_not_exists(hashid)")
        self.assertEqual(dynamodb.get_item(TableName="users", Key={"hashid": {"S": "A"}})["Item"]["n"], {"N": "2"})

    def test_throttling_of_each_service(self):
        stream = self.aws.control("tables", table="users")["stream"]
        self.aws.control("faults", kind="throttle", probability=1)
        cases = ((self.aws.client("dynamodb").describe_table, {"TableName": "users"}, "ProvisionedThroughputExceededException"),
                 (self.aws.client("dynamodbstreams").describe_stream, {"StreamArn": stream}, "LimitExceededException"),
                 (self.s3.get_object, {"Bucket": "b", "Key": "k"}, "SlowDown"))
        for call, arguments, expected in cases:
            with self.assertRaises(ClientError) as raised:
                call(**arguments)
            self.assertEqual(server.code(raised.exception), expected)

    def test_a_fault_of_one_shard(self):
        stream = self.aws.control("tables", table="users", shards=2)["stream"]
        streams = self.aws.client("dynamodbstreams")
        stalled, sound = (shard["ShardId"] for shard in streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"])
        rule = self.aws.control("faults", kind="500-not-applied", operation="GetRecords", prefix=stalled)["id"]
        iterators = [streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="LATEST")["ShardIterator"]
                     for shard in (stalled, sound)]
        streams.get_records(ShardIterator=iterators[1])
        with self.assertRaises(ClientError) as raised:
            streams.get_records(ShardIterator=iterators[0])
        self.assertEqual(server.code(raised.exception), "InternalServerError")
        self.aws.request("DELETE", f"/_control/faults/{rule}")
        streams.get_records(ShardIterator=iterators[0])

    def test_probabilities_follow_the_seed(self):
        def story(seed):
            self.aws.control("reset", what="faults")
            self.aws.control("faults", kind="503", operation="PutObject", probability=0.3, seed=seed)
            return [self.put() == 200 for _ in range(100)]

        first = story(1)
        self.assertEqual(first, story(1))
        self.assertNotEqual(first, story(2))
        self.assertTrue(50 < sum(first) < 90)
        rule, = self.aws.asked("faults")["faults"]
        self.assertEqual(rule["matched"], 100)

    def test_wrong_rules_are_refused(self):
        for rule in ({"kind": "none"}, {"kind": "error"}, {"kind": "503", "name": "("}, {"kind": "503", "count": -1}):
            with self.assertRaises(ValueError):
                self.aws.control("faults", **rule)

    def test_slow_and_many_at_once(self):
        self.aws.control("faults", kind="slow", operation="PutObject", ms=1000)
        started = time.monotonic()
        threads = [threading.Thread(target=self.put, args=(f"k{number}",)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertGreaterEqual(time.monotonic() - started, 1)
        counters = self.aws.asked("counters")
        self.assertEqual(counters["requests"]["PutObject"], {"200": 20})
        self.assertGreater(counters["at_once"]["highest"], 5)
        self.assertEqual(counters["at_once"]["now"], 0)
        self.aws.control("reset", what="counters")
        self.assertEqual(self.aws.asked("counters")["requests"], {})

    def test_clocks(self):
        def date():
            return email.utils.parsedate_to_datetime(self.s3.head_bucket(Bucket="b")["ResponseMetadata"]["HTTPHeaders"]["date"])

        before = date()
        clock = self.aws.control("advance", seconds=3600)
        self.assertAlmostEqual(clock["now"] - time.time(), 3600, delta=60)
        self.assertLess(abs((date() - before).total_seconds()), 60, "the Date header does not follow")
        with self.assertRaises(ValueError):
            self.aws.control("advance", seconds=-1)
        self.aws.control("settings", skew_s=-1200)
        self.assertAlmostEqual((date() - before).total_seconds(), -1200, delta=60)
        self.aws.control("settings", refuse_skewed=True)
        with self.assertRaises(ClientError) as raised:
            self.s3.list_objects_v2(Bucket="b")
        self.assertEqual(server.code(raised.exception), "RequestTimeTooSkewed")
        self.aws.control("settings", skew_s=600)
        self.s3.list_objects_v2(Bucket="b")

    def test_a_dropped_connection_of_an_sdk(self):
        self.aws.control("tables", table="users")
        self.aws.control("faults", kind="drop-after", operation="PutItem")
        dynamodb = self.aws.client("dynamodb")
        with self.assertRaises(ConnectionClosedError):
            dynamodb.put_item(TableName="users", Item={"hashid": {"S": "A"}})
        self.assertIn("Item", dynamodb.get_item(TableName="users", Key={"hashid": {"S": "A"}}))

    def test_several_threads(self):
        aws = server.started("--threads", "3")
        self.addCleanup(aws.stop)
        aws.control("buckets", bucket="b", generate={"items": 5000})
        answers = []

        def work(number):
            s3 = aws.client("s3")
            for step in range(30):
                answers.append(aws.put("b", f"k{step}", str(number).encode(), if_none_match="*")[0])
                answers.append(s3.list_objects_v2(Bucket="b", MaxKeys=100)["KeyCount"])

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers.count(200), 30, "one of six wins each name")
        self.assertEqual(answers.count(412) + answers.count(409), 150)
        self.assertEqual(answers.count(100), 180)
        self.assertEqual(aws.asked("counters")["at_once"]["now"], 0)

    def test_reset_and_restart(self):
        self.aws.control("reset")
        self.assertEqual(self.aws.request("HEAD", "/b", headers={"Authorization": "x"})[0], 404)
        self.assertEqual(self.aws.stop(), 0)
