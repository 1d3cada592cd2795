"""s3rver: a store of npm's that ignores conditions and syncs nothing. By npm, once, in the cache and not in the tree."""

import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


def program():
    folder = os.path.join(os.environ.get("PAWL_CACHE") or os.path.expanduser("~/.cache/pawl"), "s3rver")
    if not os.path.exists(os.path.join(folder, "node_modules", "s3rver")):
        os.makedirs(folder, exist_ok=True)
        shutil.copy(os.path.join(HERE, "package.json"), os.path.join(folder, "package.json"))
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True, timeout=300)
    return os.path.join(folder, "node_modules", "s3rver", "bin", "s3rver.js")


def command(port, directory, bucket):
    return ["node", program(), "-d", str(directory), "-a", "127.0.0.1", "-p", str(port), "--no-vhost-buckets", "--configure-bucket", bucket]
