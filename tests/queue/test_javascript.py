"""The AWS SDK for JavaScript v3, which speaks the JSON protocol; the tests themselves are in javascript_queue.mjs."""

import os
import unittest

from blackbox import node

HERE = os.path.dirname(os.path.abspath(__file__))


class JavaScript(unittest.TestCase):
    def test_sdk_v3(self):
        node.run_tests(self, HERE, "javascript-queue", "javascript_queue.mjs", least=5)
