"""Tables, streams and buckets that are formulas."""

import unittest

import server
from test_streams import DAY_S, StreamCase


class GeneratedStream(StreamCase):
    def setUp(self):
        super().setUp()
        self.aws.control("settings", describes_per_s=0, readers_max=0)

    def versions(self, shards):
        """Of each item, its versions in the order in which they were read."""
        found = {}
        for shard in shards:
            for record in self.read(self.iterator(shard["ShardId"]))[0]:
                change = record["dynamodb"]
                item, version = change["Keys"]["hashid"]["S"], int(change["NewImage"]["version"]["N"])
                self.assertEqual("OldImage" in change, version > 0)
                if version > 0:
                    self.assertEqual(int(change["OldImage"]["version"]["N"]), version - 1)
                found.setdefault(item, []).append(version)
        return found

    def test_every_version_of_every_item_is_there_once_and_in_order(self):
        self.table(generate={"items": 503, "versions": 7, "item_size": 60, "shards": 5, "generations": 3})
        shards = self.shards()
        self.assertEqual(len(shards), 15)
        self.assertEqual(sum("ParentShardId" in shard for shard in shards), 10)
        self.assertEqual(sum("EndingSequenceNumber" in shard["SequenceNumberRange"] for shard in shards), 10)
        found = self.versions(shards)  # parents are listed first
        self.assertEqual(found, {f"A{number:07}": list(range(7)) for number in range(503)})

    def test_four_thousand_shards_with_a_thousand_million_records_cost_nothing(self):
        self.table(generate={"items": 40_000_000, "versions": 25, "item_size": 400, "shards": 4000, "key_digits": 8})
        shards = self.shards()
        self.assertEqual(len(shards), 4000)
        shard = shards[3999]["ShardId"]
        page = self.streams.get_records(ShardIterator=self.iterator(shard))
        self.assertGreater(len(page["Records"]), 500)
        sequence = page["Records"][-1]["dynamodb"]["SequenceNumber"]
        again = self.streams.get_records(
            ShardIterator=self.iterator(shard, "AT_SEQUENCE_NUMBER", SequenceNumber=sequence), Limit=1)
        self.assertEqual(again["Records"], page["Records"][-1:])
        after = self.streams.get_records(
            ShardIterator=self.iterator(shard, "AFTER_SEQUENCE_NUMBER", SequenceNumber=sequence), Limit=1)
        self.assertEqual(after["Records"],
                         self.streams.get_records(ShardIterator=page["NextShardIterator"], Limit=1)["Records"])
        with open(f"/proc/{self.aws.process.pid}/statm", encoding="ascii") as file:
            self.assertLess(int(file.read().split()[1]) * 4096, 64 << 20, "resident bytes")

    def test_what_lies_ahead_has_not_happened(self):
        self.table(generate={"items": 100, "versions": 10, "shards": 2, "generations": 2, "span_s": 1000})
        self.assertEqual(len(self.shards()), 2)
        dynamodb = self.aws.client("dynamodb")
        for elapsed in (250, 500, 1000):
            self.aws.control("advance", seconds=250 if elapsed == 250 else elapsed - elapsed // 2)
            shards = self.shards()
            found = self.versions(shards)
            items = {item["hashid"]["S"]: int(item["version"]["N"]) for item in dynamodb.scan(TableName="users")["Items"]}
            newest = {item: versions[-1] for item, versions in found.items()}
            behind = [item for item in items if items[item] != newest.get(item)]
            self.assertLessEqual(len(behind), 2, "table and stream agree, but for what happened between the two questions")
            self.assertAlmostEqual(sum(map(len, found.values())), elapsed, delta=20)
        self.assertEqual(len(self.shards()), 4)

    def test_retention(self):
        self.table(generate={"items": 100, "versions": 10, "shards": 1, "ago_s": DAY_S + 100, "span_s": 1000})
        shard = self.shards()[0]["ShardId"]
        records, held = self.read(self.iterator(shard))
        self.assertAlmostEqual(len(records), 900, delta=10)
        first = records[0]["dynamodb"]["SequenceNumber"]
        self.aws.control("advance", seconds=60)
        self.refused("TrimmedDataAccessException", self.iterator, shard=shard, kind="AFTER_SEQUENCE_NUMBER", SequenceNumber=first)
        self.assertEqual(self.read(held)[0], [])
        self.aws.control("trim", table="users", shard=shard, count=100)
        self.assertAlmostEqual(len(self.read(self.iterator(shard))[0]), 740, delta=20)

    def test_splits_in_the_middle_lose_and_repeat_nothing(self):
        self.table(generate={"items": 101, "versions": 9, "shards": 1, "span_s": 900})
        self.aws.control("advance", seconds=333)
        root = self.shards()[0]["ShardId"]
        left, right = self.aws.control("split", table="users", shard=root)["children"]
        self.aws.control("advance", seconds=200)
        self.aws.control("split", table="users", shard=left)
        self.aws.control("roll-over", table="users", shard=right)
        held = [self.iterator(shard["ShardId"], "LATEST") for shard in self.shards()]
        self.aws.control("advance", seconds=600)
        for iterator in held:
            self.read(iterator)
        shards = self.shards()
        self.assertEqual(len(shards), 6)
        self.assertEqual(self.versions(shards), {f"A{number:07}": list(range(9)) for number in range(101)})


class GeneratedBucket(unittest.TestCase):
    def setUp(self):
        self.aws = server.started()
        self.addCleanup(self.aws.stop)
        self.s3 = self.aws.client("s3")

    def names(self, **more):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="b", **more)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def test_names_in_byte_order_with_holes_where_the_formula_says(self):
        self.aws.control("buckets", bucket="b", generate={
            "template": "logs/A%07d-%d.log", "items": 400, "versions": 12, "hole_every": 97, "hole_offset": 5})
        expected = sorted(f"logs/A{item:07}-{version}.log" for item in range(400) for version in range(12)
                          if (item * 12 + version) % 97 != 5)
        self.assertEqual(self.names(), expected)
        self.assertEqual(self.names(StartAfter=expected[2345]), expected[2346:])
        self.assertEqual(self.names(Prefix="logs/A000012"), [name for name in expected if name.startswith("logs/A000012")])
        page = self.s3.list_objects_v2(Bucket="b", Delimiter="/")
        self.assertEqual([group["Prefix"] for group in page["CommonPrefixes"]], ["logs/"])
        self.assertNotIn("Contents", page)

    def test_numbers_of_versions_that_vary(self):
        self.aws.control("buckets", bucket="b", generate={"items": 300, "versions": 30, "vary": True})
        found = {}
        for name in self.names():
            item, version = name[:-4].rsplit("-", 1)
            found.setdefault(item, []).append(int(version))
        self.assertEqual(len(found), 300)
        self.assertTrue(all(sorted(versions) == list(range(len(versions))) for versions in found.values()))
        self.assertGreater(len({len(versions) for versions in found.values()}), 15)

    def test_objects_can_be_read_put_over_and_deleted(self):
        self.aws.control("buckets", bucket="b", generate={"template": "d/%05d.json", "items": 2500, "body_bytes": 200})
        entry = self.s3.list_objects_v2(Bucket="b", MaxKeys=1)["Contents"][0]
        whole = self.s3.get_object(Bucket="b", Key=entry["Key"])
        self.assertEqual((len(whole["Body"].read()), whole["ETag"]), (entry["Size"], entry["ETag"]))
        self.assertEqual(self.aws.put("b", "d/00007.json", if_none_match="*")[0], 412)
        self.s3.put_object(Bucket="b", Key="d/00007.json", Body=b"mine")
        self.s3.put_object(Bucket="b", Key="d/00007.json~", Body=b"mine")
        self.s3.delete_object(Bucket="b", Key="d/00008.json")
        expected = sorted({f"d/{number:05}.json" for number in range(2500)} - {"d/00008.json"} | {"d/00007.json~"})
        self.assertEqual(self.names(), expected)
        self.assertEqual(self.s3.get_object(Bucket="b", Key="d/00007.json")["Body"].read(), b"mine")
        self.assertEqual(self.aws.request("HEAD", "/b/d/00008.json", headers={"Authorization": "x"})[0], 404)


class GeneratedTable(unittest.TestCase):
    def test_parallel_scans_meet_each_item_once_also_while_it_is_written(self):
        aws = server.started()
        self.addCleanup(aws.stop)
        aws.control("tables", table="users", generate={"items": 30_000, "versions": 4, "item_size": 300}, shards=3)
        dynamodb = aws.client("dynamodb")
        seen = []
        for segment in range(4):
            after = {}
            while True:
                page = dynamodb.scan(TableName="users", Segment=segment, TotalSegments=4, **after)
                seen += [item["hashid"]["S"] for item in page["Items"]]
                if "LastEvaluatedKey" not in page:
                    break
                after = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
                # What the scan stands on is written while it goes on.
                dynamodb.put_item(TableName="users", Item={**page["LastEvaluatedKey"], "version": {"N": "9"}})
        self.assertEqual(sorted(seen), [f"A{number:07}" for number in range(30_000)])
        self.assertNotEqual(seen, sorted(seen), "in no order of keys")
        item = dynamodb.get_item(TableName="users", Key={"hashid": {"S": "A0000000"}})["Item"]
        self.assertIn(item["version"], ({"N": "3"}, {"N": "9"}))
