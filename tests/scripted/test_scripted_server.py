#!/usr/bin/python3
"""The scripted server keeps its own rules: each test shows one, with Debian's boto3 where that knows it.

    tests/scripted/test_scripted_server.py --pawl build/pawl [NAME...]      (its binary stands beside pawl)
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import test_bucket
import test_dynamodb
import test_faults
import test_generated
import test_streams
from blackbox import suite

MODULES = [test_dynamodb, test_streams, test_bucket, test_generated, test_faults]

if __name__ == "__main__":
    sys.exit(suite.main(MODULES, description=__doc__, shared=False))
