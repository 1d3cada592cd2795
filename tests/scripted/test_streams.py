"""DynamoDB Streams as scripted: shards, iterators, records, trimming."""

import time
import unittest

import server
from botocore.exceptions import ClientError

DAY_S = 24 * 3600


class StreamCase(unittest.TestCase):
    def setUp(self):
        self.aws = server.started()
        self.streams = self.aws.client("dynamodbstreams")
        self.addCleanup(self.aws.stop)

    def table(self, **more):
        self.arn = self.aws.control("tables", table="users", **more)["stream"]

    def write(self, key, version, **more):
        return self.aws.control("write", table="users", item={"hashid": {"S": key}, "version": {"N": str(version)}}, **more)

    def shards(self, arn=None, **more):
        found, after = [], {}
        while True:
            page = self.streams.describe_stream(StreamArn=arn or self.arn, **more, **after)["StreamDescription"]
            found += page["Shards"]
            if "LastEvaluatedShardId" not in page:
                return found
            after = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}

    def iterator(self, shard, kind="TRIM_HORIZON", arn=None, **more):
        return self.streams.get_shard_iterator(StreamArn=arn or self.arn, ShardId=shard, ShardIteratorType=kind,
                                               **more)["ShardIterator"]

    def read(self, iterator, limit=1000, pages_max=1000):
        """All records, and the iterator after them (None at the end of a closed shard)."""
        records = []
        for _ in range(pages_max):
            page = self.streams.get_records(ShardIterator=iterator, Limit=limit)
            records += page["Records"]
            iterator = page.get("NextShardIterator")
            if iterator is None or not page["Records"]:
                break
        return records, iterator

    def refused(self, expected, call, **arguments):
        with self.assertRaises(ClientError) as raised:
            call(**arguments)
        self.assertEqual(server.code(raised.exception), expected)


class Shards(StreamCase):
    def test_pages_of_100_and_a_limit(self):
        self.table(shards=250)
        page = self.streams.describe_stream(StreamArn=self.arn)["StreamDescription"]
        self.assertEqual(len(page["Shards"]), 100)
        shards = self.shards()
        self.assertEqual(len({shard["ShardId"] for shard in shards}), 250)
        self.assertEqual(len(self.streams.describe_stream(StreamArn=self.arn, Limit=7)["StreamDescription"]["Shards"]), 7)
        self.assertTrue(all(28 <= len(shard["ShardId"]) <= 65 for shard in shards))

    def test_describe_stream_ten_times_a_second(self):
        self.table()
        with self.assertRaises(ClientError) as raised:
            for _ in range(11):
                self.streams.describe_stream(StreamArn=self.arn)
        self.assertEqual(server.code(raised.exception), "ThrottlingException")
        self.aws.control("advance", seconds=1)
        self.shards()
        self.aws.control("settings", describes_per_s=0)
        for _ in range(30):
            self.shards()

    def test_a_roll_over_closes_the_parent_and_opens_one_child(self):
        self.table()
        self.write("A", 0)
        parent = self.shards()[0]
        self.assertNotIn("EndingSequenceNumber", parent["SequenceNumberRange"])
        child, = self.aws.control("roll-over", table="users", shard=parent["ShardId"])["children"]
        self.write("A", 1)
        closed, opened = self.shards()
        self.assertEqual((opened["ShardId"], opened["ParentShardId"]), (child, parent["ShardId"]))
        self.assertIn("EndingSequenceNumber", closed["SequenceNumberRange"])
        records, after = self.read(self.iterator(parent["ShardId"]))
        self.assertEqual(len(records), 1)
        self.assertIsNone(after, "a closed shard ends")
        self.assertGreater(int(closed["SequenceNumberRange"]["EndingSequenceNumber"]),
                           int(records[0]["dynamodb"]["SequenceNumber"]))
        records, after = self.read(self.iterator(child))
        self.assertEqual(records[0]["dynamodb"]["NewImage"]["version"], {"N": "1"})
        self.assertIsNotNone(after)

    def test_a_split_shares_the_keys_between_two_children(self):
        self.table()
        parent = self.shards()[0]["ShardId"]
        children = self.aws.control("split", table="users", shard=parent)["children"]
        for number in range(40):
            self.write(f"A{number}", 0)
            self.write(f"A{number}", 1)
        keys = []
        for child in children:
            records, _ = self.read(self.iterator(child))
            keys.append({record["dynamodb"]["Keys"]["hashid"]["S"] for record in records})
            self.assertEqual(len(records), 2 * len(keys[-1]), "all changes of an item are in one shard")
        self.assertEqual(len(keys[0] | keys[1]), 40)
        self.assertTrue(keys[0] and keys[1] and not keys[0] & keys[1])
        # Debian's boto3 does not know ShardFilter.
        status, _, body = self.aws.request(
            "POST", "/", ('{"StreamArn":"%s","ShardFilter":{"Type":"CHILD_SHARDS","ShardId":"%s"}}' % (self.arn, parent)).encode(),
            {"X-Amz-Target": "DynamoDBStreams_20120810.DescribeStream", "Authorization": "x"})
        self.assertEqual((status, body.count(b'"ParentShardId"')), (200, 2))

    def test_dead_shards_are_listed_until_they_are_forgotten(self):
        self.table()
        self.write("A", 0)
        parent = self.shards()[0]["ShardId"]
        self.aws.control("roll-over", table="users", shard=parent)
        self.aws.control("advance", seconds=DAY_S + 1)
        self.assertEqual(len(self.shards()), 2)
        self.assertEqual(self.read(self.iterator(parent)), ([], None))
        self.aws.control("forget", table="users", shard=parent)
        self.assertEqual(len(self.shards()), 1)
        self.refused("ResourceNotFoundException", self.iterator, shard=parent)

    def test_a_stream_enabled_again_has_another_arn_and_the_old_one_lives_24_hours(self):
        self.table()
        self.write("A", 0)
        self.aws.control("stream", table="users", enabled=False)
        self.write("A", 1)  # nobody sees this one
        new = self.aws.control("stream", table="users", enabled=True, shards=2)["stream"]
        self.assertNotEqual(new, self.arn)
        self.write("A", 2)
        listed = self.streams.list_streams(TableName="users")["Streams"]
        self.assertEqual([stream["StreamArn"] for stream in listed], [self.arn, new])
        old = self.streams.describe_stream(StreamArn=self.arn)["StreamDescription"]
        self.assertEqual(old["StreamStatus"], "DISABLED")
        records, after = self.read(self.iterator(old["Shards"][0]["ShardId"]))
        self.assertEqual((len(records), after), (1, None))
        newer = [record for shard in self.shards(new) for record in self.read(self.iterator(shard["ShardId"], arn=new))[0]]
        self.assertEqual(newer[0]["dynamodb"]["OldImage"]["version"], {"N": "1"}, "a gap: version 1 was never in a stream")
        self.assertEqual(self.aws.client("dynamodb").describe_table(TableName="users")["Table"]["LatestStreamArn"], new)
        self.aws.control("advance", seconds=DAY_S + 1)
        self.refused("ResourceNotFoundException", self.streams.describe_stream, StreamArn=self.arn)


class Records(StreamCase):
    def setUp(self):
        super().setUp()
        self.table()
        self.shard = self.shards()[0]["ShardId"]

    def test_records_carry_keys_images_kind_and_whole_seconds(self):
        dynamodb = self.aws.client("dynamodb")
        dynamodb.put_item(TableName="users", Item={"hashid": {"S": "A"}, "n": {"N": "1"}})
        dynamodb.put_item(TableName="users", Item={"hashid": {"S": "A"}, "n": {"N": "1"}})  # changes nothing: no record
        dynamodb.put_item(TableName="users", Item={"hashid": {"S": "A"}, "n": {"N": "2"}})
        dynamodb.delete_item(TableName="users", Key={"hashid": {"S": "A"}})
        self.write("B", 0)
        self.aws.control("write", table="users", key={"hashid": {"S": "B"}}, expired=True)
        records, _ = self.read(self.iterator(self.shard))
        self.assertEqual([record["eventName"] for record in records], ["INSERT", "MODIFY", "REMOVE", "INSERT", "REMOVE"])
        change = records[1]["dynamodb"]
        self.assertEqual(change["OldImage"], {"hashid": {"S": "A"}, "n": {"N": "1"}})
        self.assertEqual(change["NewImage"], {"hashid": {"S": "A"}, "n": {"N": "2"}})
        self.assertEqual(change["Keys"], {"hashid": {"S": "A"}})
        self.assertEqual(change["ApproximateCreationDateTime"].microsecond, 0)
        self.assertEqual(change["StreamViewType"], "NEW_AND_OLD_IMAGES")
        self.assertNotIn("userIdentity", records[2])
        self.assertEqual(records[4]["userIdentity"], {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"})

    def test_sequence_numbers_grow_with_gaps_and_have_21_digits_and_more(self):
        for version in range(20):
            self.write("A", version)
        self.write("A", 20, sequence="9" * 39)
        self.write("A", 21, sequence="1" + "0" * 39)
        sequences = [record["dynamodb"]["SequenceNumber"] for record in self.read(self.iterator(self.shard))[0]]
        numbers = [int(text) for text in sequences]
        self.assertTrue(all(21 <= len(text) <= 40 for text in sequences))
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertTrue(any(b - a > 1 for a, b in zip(numbers, numbers[1:])))

    def test_the_four_kinds_of_iterators(self):
        for version in range(5):
            self.write("A", version)
        records, end = self.read(self.iterator(self.shard))
        third = records[2]["dynamodb"]["SequenceNumber"]
        versions = lambda found: [int(record["dynamodb"]["NewImage"]["version"]["N"]) for record in found[0]]
        self.assertEqual(versions(self.read(self.iterator(self.shard, "AT_SEQUENCE_NUMBER", SequenceNumber=third))), [2, 3, 4])
        self.aws.control("advance", seconds=2)  # or the next one would be a third reader
        self.assertEqual(versions(self.read(self.iterator(self.shard, "AFTER_SEQUENCE_NUMBER", SequenceNumber=third))), [3, 4])
        self.aws.control("advance", seconds=2)
        latest = self.iterator(self.shard, "LATEST")
        self.write("A", 5)
        self.assertEqual(versions(self.read(latest)), [5])
        self.assertEqual(versions(self.read(end)), [5])

    def test_views(self):
        for view, images in (("KEYS_ONLY", set()), ("NEW_IMAGE", {"NewImage"}), ("OLD_IMAGE", {"OldImage"})):
            self.table(view=view)
            self.write("A", 0)
            self.write("A", 1)
            records, _ = self.read(self.iterator(self.shards()[0]["ShardId"]))
            self.assertEqual(set(records[1]["dynamodb"]) & {"NewImage", "OldImage"}, images)

    def test_pages_end_at_the_limit_and_at_1_mb(self):
        pad = "x" * 300_000
        for version in range(5):
            self.aws.control("write", table="users", item={"hashid": {"S": "A"}, "v": {"N": str(version)}, "pad": {"S": pad}})
        page = self.streams.get_records(ShardIterator=self.iterator(self.shard))
        self.assertEqual(len(page["Records"]), 2, "0.3 MB, then 0.6 MB, would be followed by 0.6 MB")
        self.aws.control("advance", seconds=2)
        records, _ = self.read(self.iterator(self.shard), limit=1)
        self.assertEqual(len(records), 5)

    def test_empty_pages_in_the_middle(self):
        for version in range(30):
            self.write("A", version)
        self.aws.control("settings", empty_pages=0.5)
        iterator, sizes = self.iterator(self.shard), []
        while sum(sizes) < 30:
            page = self.streams.get_records(ShardIterator=iterator, Limit=1)
            sizes.append(len(page["Records"]))
            iterator = page["NextShardIterator"]
        self.assertGreater(sizes.count(0), 5)
        self.assertEqual(sizes.count(1), 30)

    def test_an_iterator_lives_15_minutes(self):
        iterator = self.iterator(self.shard)
        self.aws.control("advance", seconds=14 * 60)
        _, iterator = self.read(iterator)
        self.aws.control("advance", seconds=14 * 60)
        _, iterator = self.read(iterator)
        self.aws.control("advance", seconds=15 * 60 + 1)
        self.refused("ExpiredIteratorException", self.streams.get_records, ShardIterator=iterator)
        self.refused("ValidationException", self.streams.get_records, ShardIterator="nonsense")

    def test_records_older_than_24_hours_are_trimmed(self):
        self.write("A", 0)
        first = self.read(self.iterator(self.shard))[0][0]["dynamodb"]["SequenceNumber"]
        self.aws.control("advance", seconds=DAY_S - 60)
        self.write("A", 1)
        held = self.iterator(self.shard)
        self.aws.control("advance", seconds=120)
        self.refused("TrimmedDataAccessException", self.streams.get_records, ShardIterator=held)
        self.refused("TrimmedDataAccessException", self.iterator, shard=self.shard, kind="AT_SEQUENCE_NUMBER", SequenceNumber=first)
        self.refused("TrimmedDataAccessException", self.iterator, shard=self.shard, kind="AFTER_SEQUENCE_NUMBER", SequenceNumber=first)
        records, _ = self.read(self.iterator(self.shard))
        self.assertEqual(records[0]["dynamodb"]["NewImage"]["version"], {"N": "1"})

    def test_trimming_by_hand(self):
        for version in range(10):
            self.write("A", version)
        sequences = [record["dynamodb"]["SequenceNumber"] for record in self.read(self.iterator(self.shard))[0]]
        self.aws.control("trim", table="users", shard=self.shard, count=3)
        self.refused("TrimmedDataAccessException", self.iterator, shard=self.shard, kind="AT_SEQUENCE_NUMBER", SequenceNumber=sequences[2])
        self.iterator(self.shard, "AT_SEQUENCE_NUMBER", SequenceNumber=sequences[3])
        self.aws.control("trim", table="users", shard=self.shard, before=sequences[8])
        self.assertEqual(len(self.read(self.iterator(self.shard))[0]), 2)

    def third_is_throttled(self, readers, code):
        for _ in range(20):
            began = time.monotonic()
            self.read(readers[0])
            self.read(readers[1])
            try:
                self.streams.get_records(ShardIterator=readers[2])
            except ClientError as error:
                self.assertEqual(server.code(error), code)
                return
            self.assertGreater(time.monotonic() - began, 1, "it was the third within a second")
            self.aws.control("advance", seconds=2)  # the machine was too busy: again
        self.fail("a second has passed each time")

    def test_a_third_reader_of_a_shard_is_throttled(self):
        readers = [self.iterator(self.shard) for _ in range(3)]
        self.third_is_throttled(readers, "LimitExceededException")
        self.aws.control("settings", reader_error="ProvisionedThroughputExceededException")
        self.third_is_throttled(readers, "ProvisionedThroughputExceededException")
        self.aws.control("advance", seconds=1)
        self.read(readers[2])
        self.aws.control("settings", readers_max=0)
        for reader in readers:
            self.read(reader)

    def test_a_change_that_the_stream_never_shows(self):
        self.write("A", 0)
        self.write("A", 1, record=False)
        self.write("A", 2)
        records, _ = self.read(self.iterator(self.shard))
        self.assertEqual(records[1]["dynamodb"]["OldImage"]["version"], {"N": "1"})
        self.assertEqual(len(records), 2)
