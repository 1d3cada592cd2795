"""DynamoDB Streams with boto3: what applications and stream consumers do, and the server killed in the middle."""

import functools
import random
import time
import unittest
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from blackbox import servers, suite

NUMBER_SIZE = 21  # characters of a sequence number


@functools.lru_cache
def client(service, url, **config):  # making one takes longer than most of what it is asked
    return boto3.client(service, endpoint_url=url, config=Config(**config))


def dynamodb():
    return client("dynamodb", suite.current().url)


def streams(**config):
    return client("dynamodbstreams", suite.current().url, **config)


def specification(view):
    return {"StreamEnabled": True, "StreamViewType": view} if view else {"StreamEnabled": False}


def create(view, prefix="streamed"):
    name = f"{prefix}-{uuid.uuid4().hex[:8]}"
    table = dynamodb().create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], StreamSpecification=specification(view))
    return name, table["TableDescription"].get("LatestStreamArn")


def put(table, key, **attributes):
    dynamodb().put_item(TableName=table, Item={"id": {"S": key}, **{n: {"N": str(v)} for n, v in attributes.items()}})


def remove(table, key):
    dynamodb().delete_item(TableName=table, Key={"id": {"S": key}})


def shards_of(arn, page=100):
    found, more = [], {}
    while True:
        description = streams().describe_stream(StreamArn=arn, Limit=page, **more)["StreamDescription"]
        found += description["Shards"]
        if "LastEvaluatedShardId" not in description:
            return description, found
        more = {"ExclusiveStartShardId": description["LastEvaluatedShardId"]}


class Reader:
    """Reads as Amazon's KCL does: a checkpoint a shard, iterators until it dies, streams one after the other."""

    def __init__(self, table):
        self.table, self.checkpoints, self.iterators, self.ended, self.records = table, {}, {}, set(), []

    def die(self):
        self.iterators = {}

    def iterator(self, arn, shard):
        if shard in self.checkpoints:
            at = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self.checkpoints[shard]}
        else:
            at = {"ShardIteratorType": "TRIM_HORIZON"}
        return streams().get_shard_iterator(StreamArn=arn, ShardId=shard, **at)["ShardIterator"]

    def round(self, limit=1000):
        """One GetRecords a shard. Returns how many records came."""
        before = len(self.records)
        listed = sorted(streams().list_streams(TableName=self.table)["Streams"], key=lambda s: s["StreamLabel"])
        for stream in listed:
            shards = [shard["ShardId"] for shard in shards_of(stream["StreamArn"])[1]]
            for shard in shards:
                self.read(stream["StreamArn"], shard, limit)
            if not self.ended.issuperset(shards):
                break
        return len(self.records) - before

    def read(self, arn, shard, limit):
        if shard in self.ended:
            return
        if shard not in self.iterators:
            self.iterators[shard] = self.iterator(arn, shard)
        page = streams().get_records(ShardIterator=self.iterators[shard], Limit=limit)
        for record in page["Records"]:
            number = record["dynamodb"]["SequenceNumber"]
            assert len(number) == NUMBER_SIZE and number > self.checkpoints.get(shard, ""), number
            self.checkpoints[shard] = number
            self.records.append(record)
        self.iterators[shard] = page.get("NextShardIterator")
        if self.iterators[shard] is None:
            self.ended.add(shard)

    def finish(self):
        quiet = 0
        while quiet < 3:
            quiet = 0 if self.round() else quiet + 1
        return self.records


def told(records):
    """By item: [(kind, old v, new v)]."""
    stories = {}
    for record in records:
        change = record["dynamodb"]
        old, new = (change.get(image, {}).get("v", {}).get("N") for image in ("OldImage", "NewImage"))
        stories.setdefault(change["Keys"]["id"]["S"], []).append((record["eventName"], old, new))
    return stories


class Streams(unittest.TestCase):
    def refused(self, code, call, **named):
        with self.assertRaises(ClientError) as caught:
            call(**named)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        self.assertTrue(caught.exception.response["Error"]["Message"])

    def test_records_of_an_item(self):
        table, _ = create("NEW_AND_OLD_IMAGES")
        put(table, "a", v=1)
        put(table, "a", v=2)
        put(table, "a", v=2)  # changes nothing
        remove(table, "a")
        remove(table, "a")  # nor does this
        records = Reader(table).finish()
        self.assertEqual(told(records), {"a": [("INSERT", None, "1"), ("MODIFY", "1", "2"), ("REMOVE", "2", None)]})
        self.assertEqual(len({record["eventID"] for record in records}), 3)
        first = records[0]
        self.assertEqual((first["eventSource"], first["awsRegion"], first["eventVersion"]), ("aws:dynamodb", "us-east-1", "1.1"))
        self.assertEqual(first["dynamodb"]["ApproximateCreationDateTime"].microsecond, 0)
        self.assertEqual(first["dynamodb"]["SizeBytes"], 9)

    def test_views(self):
        for view, images in (("KEYS_ONLY", []), ("NEW_IMAGE", ["NewImage"]), ("OLD_IMAGE", ["OldImage"]),
                             ("NEW_AND_OLD_IMAGES", ["NewImage", "OldImage"])):
            with self.subTest(view):
                table, _ = create(view)
                put(table, "a", v=1)
                put(table, "a", v=2)
                modified = Reader(table).finish()[1]["dynamodb"]
                self.assertEqual([image for image in ("NewImage", "OldImage") if image in modified], images)
                self.assertEqual(modified["StreamViewType"], view)

    def test_on_off_and_on_again(self):
        table, first = create("NEW_AND_OLD_IMAGES")
        put(table, "a", v=1)
        off = dynamodb().update_table(TableName=table, StreamSpecification=specification(None))["TableDescription"]
        self.assertEqual(off["LatestStreamArn"], first)
        put(table, "a", v=2)
        on = dynamodb().update_table(TableName=table, StreamSpecification=specification("NEW_AND_OLD_IMAGES"))
        second = on["TableDescription"]["LatestStreamArn"]
        put(table, "a", v=3)
        self.assertNotEqual(first, second)
        self.assertEqual({s["StreamArn"] for s in streams().list_streams(TableName=table)["Streams"]}, {first, second})
        old, closed = shards_of(first, page=1)
        new, opened = shards_of(second, page=1)
        self.assertEqual((old["StreamStatus"], new["StreamStatus"]), ("DISABLED", "ENABLED"))
        self.assertTrue(all("EndingSequenceNumber" in shard["SequenceNumberRange"] for shard in closed))
        self.assertFalse(any("EndingSequenceNumber" in shard["SequenceNumberRange"] for shard in opened))
        self.assertTrue({s["ShardId"] for s in closed}.isdisjoint(s["ShardId"] for s in opened))
        self.assertEqual(told(Reader(table).finish()), {"a": [("INSERT", None, "1"), ("MODIFY", "2", "3")]})
        dynamodb().delete_table(TableName=table)
        self.assertEqual(told(Reader(table).finish()), {"a": [("INSERT", None, "1"), ("MODIFY", "2", "3")]})

    def test_latest_is_a_position(self):
        table, arn = create("KEYS_ONLY")
        put(table, "a", v=1)
        tokens = [streams().get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST")["ShardIterator"]
                  for shard in shards_of(arn)[1]]
        pawl = suite.current().require_pawl()
        put(table, "b", v=1)
        pawl.kill()
        pawl.start()
        put(table, "c", v=1)
        got = [record["dynamodb"]["Keys"]["id"]["S"] for token in tokens for record in streams().get_records(ShardIterator=token)["Records"]]
        self.assertEqual(sorted(got), ["b", "c"])

    def test_wrong_arguments(self):
        table, arn = create("KEYS_ONLY")
        unchecked = streams(parameter_validation=False)
        shard = shards_of(arn)[1][0]["ShardId"]
        iterator = unchecked.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        missing, invalid = "ResourceNotFoundException", "ValidationException"
        self.refused(missing, unchecked.describe_stream, StreamArn=arn[:-1] + "x")
        self.refused(invalid, unchecked.describe_stream)
        self.refused(invalid, unchecked.list_streams, Limit=101)
        self.refused(missing, unchecked.get_shard_iterator, StreamArn=arn, ShardId=shard[:-1] + "f", ShardIteratorType="LATEST")
        self.refused(invalid, unchecked.get_shard_iterator, StreamArn=arn, ShardId=shard, ShardIteratorType="EARLIEST")
        self.refused(invalid, unchecked.get_shard_iterator, StreamArn=arn, ShardId=shard, ShardIteratorType="AT_SEQUENCE_NUMBER")
        self.refused(invalid, unchecked.get_records, ShardIterator=iterator[:-4] + "AAAA")
        self.refused(invalid, unchecked.get_records, ShardIterator=iterator, Limit=1001)

    def test_trimmed_after_the_retention(self):
        binary = suite.current().require_binary()
        with servers.Cleanup() as cleanup:
            pawl = cleanup.add(servers.Pawl(binary, suite.current().ports + 5, cleanup.directory(),
                                            '[server]\nstream_retention = "2s"\n')).start()
            url, suite.current().url = suite.current().url, pawl.url
            try:
                self.reads_what_is_left()
            finally:
                suite.current().url = url

    def reads_what_is_left(self):
        table, arn = create("KEYS_ONLY")
        put(table, "a", v=0)
        reader = Reader(table)
        self.assertEqual(reader.round(1), 1)  # there, whatever the time: it is the newest
        for n in range(1, 5):
            put(table, "a", v=n)
        shard = next(iter(reader.checkpoints))
        at = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
              "SequenceNumber": reader.checkpoints[shard]}
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                streams().get_shard_iterator(**at)
                time.sleep(0.5)
            except ClientError as error:
                self.assertEqual(error.response["Error"]["Code"], "TrimmedDataAccessException")
                break
        else:
            self.fail("nothing was trimmed")
        self.assertEqual(len(Reader(table).finish()), 1, "the newest change that is archived is kept")

    def test_histories_with_restarts(self):
        """Whatever is written while the stream is on comes once, an item's in order; the server is killed, and the reader dies."""
        pawl = suite.current().require_pawl()
        for seed in range(6):
            with self.subTest(seed=seed):
                self.play(random.Random(seed), pawl)

    def play(self, rng, pawl):
        table, _ = create("NEW_AND_OLD_IMAGES", "history")
        reader, on, state, expected = Reader(table), True, {}, {}
        kill_at = rng.randrange(120)
        for step in range(120):
            if step == kill_at:
                pawl.kill()
                pawl.start()
            dice = rng.random()
            if dice < 0.1:
                reader.round(rng.randrange(1, 20))
            elif dice < 0.12:
                reader.die()
            elif dice < 0.14:
                on = not on
                dynamodb().update_table(TableName=table, StreamSpecification=specification("NEW_AND_OLD_IMAGES" if on else None))
            else:
                key, value = f"i{rng.randrange(8)}", rng.choice(["1", "2", None])
                before = state.get(key)
                if value:
                    put(table, key, v=value)
                else:
                    remove(table, key)
                state[key] = value
                if on and before != value:
                    kind = "INSERT" if before is None else "REMOVE" if value is None else "MODIFY"
                    expected.setdefault(key, []).append((kind, before, value))
        self.assertEqual(told(reader.finish()), expected)
