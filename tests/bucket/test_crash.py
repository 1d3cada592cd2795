"""SIGKILL under load: every acknowledged object is there, whole, and no half one is; nothing is left of bodies under way."""

import hashlib
import os
import random
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from blackbox import suite
from blackbox.client_case import wait_until
from shared import BucketCase, client

KILLS = int(os.environ.get("PAWL_KILLS", "5"))
WRITERS = 6


class Writer(threading.Thread):
    """Writes keys of its own, again and again, and keeps what each may be: what was acknowledged last, and what was sent since."""

    def __init__(self, bucket, number, stop):
        super().__init__(daemon=True)
        self.bucket, self.number, self.stop = bucket, number, stop
        self.random = random.Random(number)
        self.acknowledged, self.possible = {}, {}
        self.writes = 0

    def body(self):
        size = self.random.choice((0, 120, 3000, 60_000, 70_000, 900_000))
        return self.random.randbytes(size)

    def run(self):
        s3 = client()
        while not self.stop.is_set():
            key = f"w{self.number}/{self.random.randrange(12)}"
            body = None if self.random.random() < 0.15 else self.body()
            digest = hashlib.sha256(body).hexdigest() if body is not None else None
            self.possible.setdefault(key, set()).add(digest)
            try:
                if body is None:
                    s3.delete_object(Bucket=self.bucket, Key=key)
                else:
                    s3.put_object(Bucket=self.bucket, Key=key, Body=body)
            except (BotoCoreError, ClientError):
                time.sleep(0.05)
                continue
            self.writes += 1
            self.acknowledged[key] = digest
            self.possible[key] = {digest}


class Crash(BucketCase):
    def test_killed_under_load(self):
        pawl = suite.current().require_pawl()
        writers = []
        for kill in range(KILLS):
            stop = threading.Event()
            fresh_writers = [Writer(self.bucket, n, stop) for n in range(WRITERS)]
            for old, new in zip(writers, fresh_writers):
                new.acknowledged, new.possible = old.acknowledged, old.possible
                new.random = random.Random(1000 * kill + new.number)
                new.writes = old.writes
            writers = fresh_writers
            for writer in writers:
                writer.start()
            so_far = sum(writer.writes for writer in writers)
            wait_until(lambda so_far=so_far, writers=writers: sum(writer.writes for writer in writers) > so_far + 25, what="writing")
            time.sleep(random.random())
            pawl.kill()
            stop.set()
            for writer in writers:
                writer.join(90)
                self.assertFalse(writer.is_alive())
            pawl.start()
            self.check(writers)
        self.assertGreater(sum(w.writes for w in writers), 20 * KILLS)
        self.check_files(pawl)

    def check(self, writers):
        for writer in writers:
            for key, possible in writer.possible.items():
                try:
                    got = self.get(key)
                    body = got["Body"].read()
                    digest = hashlib.sha256(body).hexdigest()
                    self.assertEqual(got["ETag"].strip('"'), hashlib.md5(body).hexdigest(), "half an object")
                except ClientError as error:
                    self.assertEqual(error.response["Error"]["Code"], "NoSuchKey")
                    digest = None
                allowed = possible | ({None} if key not in writer.acknowledged else {writer.acknowledged[key]})
                self.assertIn(digest, allowed, f"{key}: neither what was acknowledged nor what was sent since")
                writer.acknowledged[key] = digest
                writer.possible[key] = {digest}

    def check_files(self, pawl):
        pawl.stop()
        pawl.start()
        large = 0
        for bucket in self.s3.list_buckets()["Buckets"]:
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
                for found in page.get("Contents", []):
                    if found["Size"] > 65536:
                        parts = found["ETag"].strip('"').partition("-")[2]
                        large += int(parts or 1)
        bodies = os.path.join(pawl.data, "buckets", "bodies")
        files = sum(len(names) for _, _, names in os.walk(bodies))
        self.assertLessEqual(files, large + self.parts_under_way(), "files that no record names")

    def parts_under_way(self):
        count = 0
        for bucket in self.s3.list_buckets()["Buckets"]:
            for upload in self.s3.list_multipart_uploads(Bucket=bucket["Name"]).get("Uploads", []):
                parts = self.s3.list_parts(Bucket=bucket["Name"], Key=upload["Key"], UploadId=upload["UploadId"]).get("Parts", [])
                count += len(parts)
        return count
