"""What the tests of this folder share: an example's commands as its README shows them, and a server to run them on."""

import os
import re
import subprocess

import boto3
from botocore.config import Config

from blackbox import suite
from blackbox.client_case import wait_until  # noqa: F401
from blackbox.servers import Pawl

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
DEFAULT_URL = "http://127.0.0.1:8000"
BLOCK_TIMEOUT_S = 400


def folder(name=""):
    return os.path.normpath(os.path.join(EXAMPLES, name))


def blocks(name=""):
    """The commands that a README shows, but for those that start a server."""
    with open(os.path.join(folder(name), "README.md"), encoding="utf-8") as file:
        found = SHELL_BLOCK.findall(file.read())
    return [block for block in found if not block.startswith("pawl serve")]


class Server(Pawl):
    """`pawl serve` under a profile, with the settings that an example has."""

    def __init__(self, cleanup, options=(), config=None):
        super().__init__(suite.current().require_binary(), suite.current().ports, cleanup.directory(), config)
        self.options = list(options)

    def command(self):
        return super().command() + self.options

    def client(self, service):
        return boto3.client(service, endpoint_url=self.url, config=Config(retries={"max_attempts": 0}))

    def environment(self, **more):
        """A reader's, who has exported a path and nothing else."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, "PATH": f"{os.path.dirname(self.binary)}:/usr/bin:{kept['PATH']}", "AWS_ENDPOINT_URL": self.url,
                "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "PYTHONDONTWRITEBYTECODE": "1", **more}

    def shell(self, name, text, **more):
        """Runs commands in an example's folder; returns (exit status, output). They end at the first that fails."""
        command = ["bash", "-euo", "pipefail", "-c", text.replace(DEFAULT_URL, self.url)]
        done = subprocess.run(command, cwd=folder(name), env=self.environment(**more), stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=BLOCK_TIMEOUT_S, check=False)
        return done.returncode, done.stdout

    def spawn(self, name, *command):
        """One command under `pawl exec`, which the caller waits for."""
        return subprocess.Popen([self.binary, "exec", "--", *command], cwd=folder(name), env=self.environment(),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def rows(self, table):
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return [row for page in pages for row in page["Items"]]

    def objects(self, bucket, prefix):
        """Contents by name."""
        s3 = self.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        names = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return {name: s3.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}
