#!/usr/bin/python3
"""Supervised functions: somebody's handler writes an object for every change of a table into a bucket of the same server, which sees to
it that none is missing. boto3, real processes, a server that is killed in the middle; `pawl verify` over S3 judges."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import test_kills
import test_lives
import test_objects
import test_room
from blackbox import suite

if __name__ == "__main__":
    sys.exit(suite.main([test_objects, test_lives, test_kills, test_room], description=__doc__, shared=False, threads=3))
