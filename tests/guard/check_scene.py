"""Somebody's function between a table's stream and a bucket, with the faults that such functions have; and `pawl guard check`
beside it."""

import json
import threading
import time
import uuid

import boto3
import ceph
from guard_scene import KEYS, LocalScene, Scene

POLL_S = 0.1


def check_command(scene, *more):
    return [scene.binary, "guard", "check", "--table", scene.table, "--bucket", scene.archive.removeprefix("s3://"),
            "--s3-endpoint", scene.s3_url, "--dynamodb-endpoint", scene.dynamodb_url, *scene.options, *more]


class GeneratedScene(Scene):
    """A stream and a function's bucket that a formula gives, on the scripted server: every `hole_every`th object is missing."""

    def __init__(self, aws, items, versions, shards, hole_every, *options):
        shape = {"items": items, "versions": versions}
        aws.control("settings", describes_per_s=0, puts_max=200_000)
        aws.control("tables", table="users", generate={**shape, "shards": shards, "span_s": 600, "ago_s": 3600})
        aws.control("buckets", bucket="bucket", keep_bodies=True, generate={
            **shape, "template": "logs/A%07d-%d.log", "hole_every": hole_every, "hole_offset": 7})
        super().__init__("users", "s3://bucket", aws.url, aws.url, names="logs/{hashid}-{version}.log", version_attribute="version")
        self.options += list(options)
        self.lease_table = "pawl-check-users"
        self.changes = items * versions
        self.holes = {f"logs/A{n // versions:07}-{n % versions}.log" for n in range(7, items * versions, hole_every)}

    def command(self, *more):
        return check_command(self, *more)


class CheckScene(LocalScene):
    """A bucket of the function's own, in which Pawl has its ledger and what it puts in."""

    def __init__(self, dynamodb_url, s3_url, *options, names="logs/{hashid}-{_version}.log", below=""):
        super().__init__(dynamodb_url, s3_url, names=names, version_attribute=None)
        self.store, self.bucket = ceph.client(s3_url), "check-" + uuid.uuid4().hex[:12]
        self.store.create_bucket(Bucket=self.bucket)
        self.below = below  # a prefix, with its '/'
        self.archive = "s3://" + self.bucket + ("/" + below.rstrip("/") if below else "")
        self.options += list(options)
        self.lease_table = "pawl-check-" + self.table

    def command(self, *more):
        return check_command(self, *more)

    def worker_after(self, function, changes, **environment):
        """Started when the function is through with so many: how long it took for them says nothing then."""
        function.wait_seen(changes)
        running = [worker for worker in self.workers if worker.process.poll() is None]
        assert not running, "it would be too early"
        return self.worker(**environment)

    def objects(self):
        """What is in the bucket but the ledger: name -> (ETag, instant)."""
        pages = self.store.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.below)
        found = {entry["Key"].removeprefix(self.below): (entry["ETag"], entry["LastModified"])
                 for page in pages for entry in page.get("Contents", [])}
        return {name: value for name, value in found.items() if not name.startswith(".pawl/")}

    def repaired(self):
        return {name for name in self.objects() if "~repaired" in name}

    def read(self, name):
        return self.store.get_object(Bucket=self.bucket, Key=self.below + name)["Body"].read()

    def alarms(self):
        """Lines of what is missing, and how many they stand for."""
        lines = [line for worker in self.workers for line in worker.log().splitlines() if line.startswith("pawl: MISSING")]
        more = [int(line.split()[2].replace(",", "")) for line in lines if line.endswith("more: the ledger has them all")]
        return lines, len(lines) - len(more) + sum(more)

    def stop_all(self):
        return [worker.stop() for worker in self.workers if worker.process.poll() is None]


class Function:
    """Writes logs/HASHID-VERSION.log for each change, as the article's does: new images only. `fault` says of (hashid, version) what
    goes wrong: None, "drop", "twice", or the seconds by which it comes late."""

    def __init__(self, scene, fault=lambda hashid, version: None, body=lambda image: json.dumps(image).encode()):
        self.scene, self.fault, self.body = scene, fault, body
        self.streams = boto3.client("dynamodbstreams", endpoint_url=scene.dynamodb_url, **KEYS)
        self.done, self.seen = threading.Event(), 0
        self.written, self.dropped, self.twice, self.removed = {}, set(), set(), set()
        self.failure, self.instants = None, []
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.done.set()
        self.thread.join()
        if self.failure:
            raise self.failure

    def wait_seen(self, count):
        self.scene.wait_until(f"the function to see {count} changes", lambda: self.seen >= count or self.failure)

    def _run(self):
        try:
            self._read()
        except Exception as failure:  # told by whoever stops it
            self.failure = failure

    def _read(self):
        arn = self.scene.dynamodb.describe_table(TableName=self.scene.table)["Table"]["LatestStreamArn"]
        shard = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        iterator = None
        while not self.done.is_set():
            iterator = iterator or self.streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
            try:
                answer = self.streams.get_records(ShardIterator=iterator)
            except self.streams.exceptions.TrimmedDataAccessException:
                if self.seen:
                    raise
                iterator = None  # DynamoDB Local says so of an empty shard
                time.sleep(POLL_S)
                continue
            for record in answer["Records"]:
                self.instants.append(record["dynamodb"]["ApproximateCreationDateTime"])
                self._take(record)
                self.seen += 1
            iterator = answer["NextShardIterator"]
            if not answer["Records"]:
                time.sleep(POLL_S)

    def _take(self, record):
        if record["eventName"] == "REMOVE":
            old = record["dynamodb"]["OldImage"]
            self.removed.add(f"{old['hashid']['S']}-{old['_version']['N']}")
            return
        image = record["dynamodb"]["NewImage"]
        hashid, version = image["hashid"]["S"], int(image["_version"]["N"])
        name, fault = f"logs/{hashid}-{version}.log", self.fault(hashid, version)
        if fault == "drop":
            self.dropped.add(name)
            return
        if isinstance(fault, (int, float)):
            time.sleep(fault)
        body = self.body(image)
        for _ in range(2 if fault == "twice" else 1):
            self.scene.store.put_object(Bucket=self.scene.bucket, Key=self.scene.below + name, Body=body)
        if fault == "twice":
            self.twice.add(name)
        self.written[name] = body
