"""The AWS SDK for JavaScript v3, run by node; the tests themselves are in javascript_bucket.mjs.

The SDK is installed once, by npm, into the cache ($PAWL_CACHE or ~/.cache/pawl), not into the tree.
"""

import os
import re
import shutil
import subprocess
import unittest

from blackbox import servers, suite
from test_objects import CONFIGURED

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = "javascript_bucket.mjs"


def installed():
    """A folder with the SDK and this folder's script."""
    cache = os.environ.get("PAWL_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pawl")
    folder = os.path.join(cache, "javascript-bucket")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(HERE, "package.json"), "rb") as wanted:
        text = wanted.read()
    current, done = os.path.join(folder, "package.json"), os.path.join(folder, "installed")
    if not os.path.exists(done) or open(current, "rb").read() != text:
        if os.path.exists(done):
            os.unlink(done)
        shutil.copy(os.path.join(HERE, "package.json"), current)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True, timeout=300)
        open(done, "w").close()
    shutil.copy(os.path.join(HERE, SCRIPT), folder)
    return folder


class JavaScript(unittest.TestCase):
    def run_script(self, endpoint, **more):
        done = subprocess.run(["node", "--test", "--test-reporter=tap", SCRIPT], cwd=installed(), text=True, capture_output=True,
                              timeout=300, check=False, env={**os.environ, "ENDPOINT": endpoint, **more})
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-2000:])
        ran = re.search(r"^# pass (\d+)$", done.stdout, re.M)
        self.assertTrue(ran and int(ran.group(1)) >= 5, "node ran too few tests:\n" + done.stdout[-2000:])

    def test_sdk_v3(self):
        self.run_script(suite.current().url)

    def test_sdk_v3_with_keys_that_are_checked(self):
        context = suite.current()
        context.require_binary()
        pawl = context.cleanup.add(servers.Pawl(context.binary, context.ports, context.cleanup.directory(), CONFIGURED))
        pawl.start()
        self.run_script(pawl.url, AWS_ACCESS_KEY_ID="AKIAPAWL", AWS_SECRET_ACCESS_KEY="not a secret")
        pawl.stop()
