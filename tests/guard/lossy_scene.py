"""A table, and a bucket that a function of the article's kind filled, but for what it lost."""

import json
import os
import subprocess
import uuid

import boto3
import ceph
import shared
from blackbox import suite
from botocore.config import Config
from guard_scene import KEYS, NAMES


def item(key, version):
    return {"hashid": {"S": key}, "_version": {"N": str(version)}, "name": {"S": f"山田 {version}"}}


def own_name(key, version):
    """What the article's function does."""
    return "logs/%s-%s.log" % (key, version)


class Lossy:
    """A table, and a bucket of which a function forgot a part."""

    def __init__(self, view="NEW_AND_OLD_IMAGES", store=None):
        self.table, self.bucket = "users-" + uuid.uuid4().hex[:8], "lossy-" + uuid.uuid4().hex[:8]
        self.api = boto3.client("dynamodb", endpoint_url=shared.dynamodb.url, config=Config(max_pool_connections=20), **KEYS)
        self.api.create_table(TableName=self.table, BillingMode="PAY_PER_REQUEST",
                              AttributeDefinitions=[{"AttributeName": "hashid", "AttributeType": "S"}],
                              KeySchema=[{"AttributeName": "hashid", "KeyType": "HASH"}])
        self.store = store  # of the test's own; None: Ceph's gateway
        self.url = store.url if store else shared.ceph.url
        self.s3 = None
        if not store:
            self.s3 = ceph.client(self.url)
            self.s3.create_bucket(Bucket=self.bucket)
        if view:
            self.stream(view)

    def stream(self, view):
        self.api.update_table(TableName=self.table, StreamSpecification={"StreamEnabled": True, "StreamViewType": view})

    def write(self, key, *versions):
        for version in versions:
            self.api.put_item(TableName=self.table, Item=item(key, version))

    def write_each(self, keys, *versions):
        """Of each key the first version, then of each the second, and so on."""
        for version in versions:
            for first in range(0, len(keys), 25):
                puts = [{"PutRequest": {"Item": item(key, version)}} for key in keys[first:first + 25]]
                left = self.api.batch_write_item(RequestItems={self.table: puts})["UnprocessedItems"]
                assert not left, left

    def archive(self, key, *versions, digits=0):
        for version in versions:
            name = own_name(key, str(version).zfill(digits))
            if self.s3:
                self.s3.put_object(Bucket=self.bucket, Key=name, Body=b"the function's %d" % version)
            else:
                self.store.objects[name] = (b"the function's %d" % version, '"x"')

    def state(self):
        """Name to whatever shows that an object was written anew."""
        if not self.s3:
            return dict(self.store.objects)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return {o["Key"]: (o["ETag"], o["LastModified"], o["Size"]) for page in pages for o in page.get("Contents", [])}

    def has(self, name):
        """Whether there is such an object; quicker than a list of all."""
        if not self.s3:
            return name in self.store.objects
        try:
            self.s3.head_object(Bucket=self.bucket, Key=name)
            return True
        except self.s3.exceptions.ClientError:
            return False

    def body(self, name):
        if not self.s3:
            return self.store.objects[name][0]
        return self.s3.get_object(Bucket=self.bucket, Key=name)["Body"].read()

    def command(self, command, *more):
        return [suite.current().require_binary(), command, f"s3://{self.bucket}", "--name", NAMES, "--table", self.table, "--s3-endpoint",
                self.url, "--dynamodb-endpoint", shared.dynamodb.url, *more]

    def run(self, command, *more, environment=None):
        return subprocess.run(self.command(command, *more), capture_output=True, text=True, timeout=300, check=False,
                              env={**os.environ, **(environment or {})})

    def document(self, case, command, status, *more, environment=None):
        done = self.run(command, "--json", *more, environment=environment)
        case.assertEqual(done.returncode, status, done.stdout[-3000:] + done.stderr)
        return json.loads(done.stdout)
