#!/usr/bin/python3
"""On DynamoDB Local, or on another engine that --endpoint names: the guard's adapters (stream, table and leases), and
`pawl gaps --table`."""

import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import test_gaps
from blackbox import servers, suite

BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build")
TESTS_LEAST = 25


class Engine(unittest.TestCase):
    def test_stream_table_and_leases(self):
        context = suite.current()
        url = context.url or context.cleanup.add(servers.DynamoDbLocal(context.ports + 60)).url
        folder = os.path.dirname(context.binary) if context.binary else BUILD
        done = subprocess.run([os.path.join(folder, "dynamodb_engine_test"), "--gtest_brief=1"], capture_output=True,
                              text=True, timeout=600, check=False,
                              env={**os.environ, "PAWL_TEST_DYNAMODB_ENDPOINT": url})
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
        ran = re.search(r"\[  PASSED  \] (\d+) tests", done.stdout)
        self.assertTrue(ran and int(ran.group(1)) >= TESTS_LEAST, done.stdout[-2000:])


if __name__ == "__main__":
    sys.exit(suite.main([sys.modules["__main__"], test_gaps], description=__doc__, shared=False))
