"""A Ceph RADOS Gateway for the length of a test run; see ceph.sh."""

import os
import subprocess

import boto3
from botocore.config import Config
from blackbox import servers

HERE = os.path.dirname(os.path.abspath(__file__))
KEYS = {"AWS_ACCESS_KEY_ID": "pawltest", "AWS_SECRET_ACCESS_KEY": "pawltestsecret"}
START_S = 240.0  # about 20 s on a quiet machine


class Ceph:
    """Stopped by the run's Cleanup, as every server."""

    def __init__(self, directory, port):
        self.directory = directory
        self.port = servers.free_port(port)
        self.url = f"http://127.0.0.1:{self.port}"
        self._script("start", str(self.port))

    def _script(self, action, *more):
        done = subprocess.run([os.path.join(HERE, "ceph.sh"), action, self.directory, *more], capture_output=True, text=True,
                              timeout=START_S, check=False)
        if done.returncode != 0:
            raise servers.StartFailed(f"ceph.sh {action}: {done.stdout[-1000:]}{done.stderr[-2000:]}")

    def gateway_stop(self):
        self._script("gateway-stop")

    def gateway_start(self):
        self._script("gateway-start")

    def add_user(self, name, keys):
        """Who may do nothing but what a bucket's policy allows."""
        self._script("add-user", name, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])

    def stop(self):
        self._script("stop")


def client(url, keys=None):
    keys = keys or KEYS
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"], config=Config(s3={"addressing_style": "path"}))
