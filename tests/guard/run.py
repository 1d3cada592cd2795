#!/usr/bin/python3
"""`pawl guard` between an engine and a store that are not ours: DynamoDB Local and Ceph's gateway."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "..", "s3")]

import ceph
import shared
import test_record
from blackbox import servers, suite


def setUpModule():
    """Once, before the first test: both engines, the store's keys in the environment, a bucket."""
    context = suite.current()
    shared.ceph = context.cleanup.add(ceph.Ceph(context.cleanup.directory(), context.ports))
    ceph.client(shared.ceph.url).create_bucket(Bucket="pawl-test")
    shared.dynamodb = context.cleanup.add(servers.DynamoDbLocal(context.ports + 60))
    os.environ.update(ceph.KEYS)


test_record.setUpModule = setUpModule

if __name__ == "__main__":
    sys.exit(suite.main([test_record], description=__doc__, shared=False))
