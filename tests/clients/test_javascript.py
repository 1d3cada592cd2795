"""The AWS SDK for JavaScript v3, run by node; the tests themselves are in javascript_client.mjs.

The SDK is installed once, by npm, into the cache ($PAWL_CACHE or ~/.cache/pawl), not into the tree.
"""

import os
import re
import shutil
import subprocess
import unittest

from blackbox import suite

HERE = os.path.dirname(os.path.abspath(__file__))


def installed():
    """A folder with the SDK and this folder's script."""
    cache = os.environ.get("PAWL_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pawl")
    folder = os.path.join(cache, "javascript-client")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(HERE, "package.json"), "rb") as wanted:
        text = wanted.read()
    current = os.path.join(folder, "package.json")
    done = os.path.join(folder, "installed")
    if not os.path.exists(done) or open(current, "rb").read() != text:
        if os.path.exists(done):
            os.unlink(done)
        shutil.copy(os.path.join(HERE, "package.json"), current)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True, timeout=300)
        open(done, "w").close()
    shutil.copy(os.path.join(HERE, "javascript_client.mjs"), folder)
    return folder


class JavaScript(unittest.TestCase):
    def test_sdk_v3(self):
        done = subprocess.run(["node", "--test", "--test-reporter=tap", "javascript_client.mjs"], cwd=installed(), text=True,
                              capture_output=True, timeout=300, check=False, env={**os.environ, "ENDPOINT": suite.current().url})
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-2000:])
        ran = re.search(r"^# pass (\d+)$", done.stdout, re.M)
        self.assertTrue(ran and int(ran.group(1)) >= 5, "node ran too few tests:\n" + done.stdout[-2000:])
