"""A folder's node script with the packages that its package.json names, installed once, by npm, into the cache
($PAWL_CACHE or ~/.cache/pawl), not into the tree."""

import os
import re
import shutil
import subprocess

from . import suite


def installed(folder, name, script):
    """A folder with the packages and the script."""
    cache = os.environ.get("PAWL_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pawl")
    place = os.path.join(cache, name)
    os.makedirs(place, exist_ok=True)
    with open(os.path.join(folder, "package.json"), "rb") as wanted:
        text = wanted.read()
    current = os.path.join(place, "package.json")
    done = os.path.join(place, "installed")
    if not os.path.exists(done) or open(current, "rb").read() != text:
        if os.path.exists(done):
            os.unlink(done)
        shutil.copy(os.path.join(folder, "package.json"), current)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=place, check=True, timeout=300)
        open(done, "w").close()
    shutil.copy(os.path.join(folder, script), place)
    return place


def run_tests(case, folder, name, script, least):
    """Runs the script's tests against the server under test; at least so many must pass, and none fail."""
    done = subprocess.run(["node", "--test", "--test-reporter=tap", script], cwd=installed(folder, name, script), text=True,
                          capture_output=True, timeout=300, check=False, env={**os.environ, "ENDPOINT": suite.current().url})
    case.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-2000:])
    ran = re.search(r"^# pass (\d+)$", done.stdout, re.M)
    case.assertTrue(ran and int(ran.group(1)) >= least, "node ran too few tests:\n" + done.stdout[-2000:])
