#!/usr/bin/python3
"""`pawl guard` between an engine and a store that are not ours: DynamoDB Local and Ceph's gateway, and a server that is
scripted for what these can't do (../scripted)."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "..", "s3"), os.path.join(HERE, "..", "scripted"),
                os.path.join(HERE, "..", "recovery")]

import ceph
import shared
import test_check
import test_lost
import test_preflight
import test_record
import test_repair
import test_shards
from blackbox import servers, suite


def setUpModule():
    """Once, before the first test: both engines, the store's keys in the environment, a bucket."""
    if shared.ceph is None:
        context = suite.current()
        shared.ceph = context.cleanup.add(ceph.Ceph(context.cleanup.directory(), context.ports))
        ceph.client(shared.ceph.url).create_bucket(Bucket="pawl-test")
        shared.dynamodb = context.cleanup.add(servers.DynamoDbLocal(context.ports + 65))
        os.environ.update(ceph.KEYS)


MODULES = [test_record, test_check, test_preflight, test_shards, test_repair, test_lost]
test_record.setUpModule = test_lost.setUpModule = test_check.setUpModule = test_preflight.setUpModule = test_repair.setUpModule = setUpModule

if __name__ == "__main__":
    sys.exit(suite.main(MODULES, description=__doc__, shared=False, threads=6))
