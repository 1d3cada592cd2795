"""What the tests of this folder share: a client, and a bucket of each test's own."""

import itertools
import os
import time
import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from blackbox import suite

_numbers = itertools.count()


def client(url=None, **more):
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 0}, read_timeout=120)
    return boto3.client("s3", endpoint_url=url or suite.current().url, config=config, **more)


def archived(s3, count, bucket="archive", **more):
    """The keys of the archive, once there are so many."""
    deadline = time.monotonic() + 120
    while True:
        found = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **more) for o in page.get("Contents", [])]
        if len(found) >= count or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def table_of(url, name):
    dynamodb = boto3.client("dynamodb", endpoint_url=url)
    if name in dynamodb.list_tables()["TableNames"]:
        return dynamodb
    dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "hashid", "KeyType": "HASH"}],
                          AttributeDefinitions=[{"AttributeName": "hashid", "AttributeType": "S"}])
    return dynamodb


def fresh():
    return f"bucket-{os.getpid()}-{next(_numbers)}"


class BucketCase(unittest.TestCase):
    def setUp(self):
        self.s3 = client()
        self.bucket = fresh()
        self.s3.create_bucket(Bucket=self.bucket)

    def put(self, key, body=b"x", **more):
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **more)

    def get(self, key, **more):
        return self.s3.get_object(Bucket=self.bucket, Key=key, **more)

    def body(self, key, **more):
        return self.get(key, **more)["Body"].read()

    def refused(self, code, call, *arguments, status=None, **more):
        with self.assertRaises(ClientError) as caught:
            call(*arguments, **more)
        error = caught.exception.response
        self.assertEqual(error["Error"]["Code"], code, error)
        if status:
            self.assertEqual(error["ResponseMetadata"]["HTTPStatusCode"], status)
        return error
