"""The AWS SDK for JavaScript v3, run by node; the tests themselves are in javascript_client.mjs."""

import os
import unittest

from blackbox import node

HERE = os.path.dirname(os.path.abspath(__file__))


class JavaScript(unittest.TestCase):
    def test_sdk_v3(self):
        node.run_tests(self, HERE, "javascript-client", "javascript_client.mjs", least=5)
