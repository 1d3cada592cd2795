#!/usr/bin/python3
"""The archive in a bucket: on Ceph's gateway (ceph.sh), on a store that must be refused (s3rver), and on one that
misbehaves as it is told to (scripted_store.py)."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "recovery"), os.path.join(HERE, "..")]

import ceph
import shared
import test_gaps
import test_refusals
import test_scripted
import test_serve
import test_stores
from blackbox import suite


def setUpModule():
    """Once, before the first test: the gateway, its keys in the environment, a bucket."""
    if shared.ceph is None:
        context = suite.current()
        shared.ceph = context.cleanup.add(ceph.Ceph(context.cleanup.directory(), context.ports))
        ceph.client(shared.ceph.url).create_bucket(Bucket="pawl-test")
        os.environ.update(ceph.KEYS)


MODULES = [test_stores, test_refusals, test_serve, test_scripted, test_gaps]

for module in MODULES:
    module.setUpModule = setUpModule

if __name__ == "__main__":
    sys.exit(suite.main(MODULES, description=__doc__, shared=False, threads=4))
