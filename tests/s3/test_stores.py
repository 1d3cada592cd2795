"""The conformance suites and the stores' own tests (C++) on the gateway."""

import os
import re
import subprocess
import unittest

import shared
from blackbox import suite


class Stores(unittest.TestCase):
    def test_conformance_and_stores(self):
        binary = os.path.join(os.path.dirname(suite.current().require_binary()), "s3_store_test")
        done = subprocess.run([binary, "--gtest_brief=1"], capture_output=True, text=True, timeout=600, check=False,
                              env={**os.environ, "PAWL_TEST_S3_ENDPOINT": shared.ceph.url, "PAWL_TEST_S3_BUCKET": "pawl-test"})
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
        ran = re.search(r"\[  PASSED  \] (\d+) tests", done.stdout)
        self.assertTrue(ran and int(ran.group(1)) >= 40, done.stdout[-2000:])
