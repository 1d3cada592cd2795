#!/usr/bin/python3
"""Event source mappings as users of AWS Lambda have them: tables, functions and mappings made with boto3, real processes, both
profiles, a server that is killed in the middle."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import test_api
import test_delivery
import test_ends
import test_failures
import test_kills
import test_profiles
from blackbox import suite

if __name__ == "__main__":
    sys.exit(suite.main([test_api, test_delivery, test_ends, test_failures, test_profiles, test_kills], description=__doc__))
