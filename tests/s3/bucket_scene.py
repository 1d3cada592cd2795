"""A Pawl whose archive is a bucket."""

import json
import os
import time
import uuid

from blackbox import servers, suite
from scene import CONFIG, Scene

CATCH_UP_S = 240.0


class BucketPawl(servers.Pawl):
    """`pawl serve --archive s3://… --s3-endpoint …`."""

    def __init__(self, binary, first_port, directory, url, archive):
        super().__init__(binary, first_port, directory, CONFIG, archive)
        self.store_url = url

    def command(self):
        command = [self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", "--config", self.config,
                   "--archive", self.archive]
        return command + ["--s3-endpoint", self.store_url]


class BucketScene(Scene):
    """As a Scene; what stands in the archive is asked of `pawl` itself, which reads the bucket."""

    def __init__(self, url, bucket="pawl-test", archive=None, data=None, start=True):
        context = suite.current()
        self.directory = context.cleanup.directory()
        self.archive = archive or f"s3://{bucket}/{uuid.uuid4().hex[:12]}"
        self.pawl = context.cleanup.add(BucketPawl(context.require_binary(), context.ports + 70, self.directory, url, self.archive))
        if data:
            self.pawl.data = data
        if start:
            self.start()

    def start(self):
        from blackbox.raw_http import Connection
        self.pawl.start()
        self.connection = Connection("127.0.0.1", self.pawl.port)

    def run(self, *arguments):
        return self.pawl.run(*arguments, "--s3-endpoint", self.pawl.store_url)

    def verify(self, *more, archive=None):
        done = self.run("verify", archive or self.archive, "--json", *more)
        try:
            return done.returncode, json.loads(done.stdout), done.stdout + done.stderr
        except ValueError:
            return done.returncode, None, done.stdout + done.stderr

    def archived(self):
        """How many changes are in durable pages, of all open tables."""
        return sum(shard["archived"] for shard in self.pawl.status()["shards"])

    def caught_up(self, changes):
        deadline = time.monotonic() + CATCH_UP_S
        while self.archived() < changes:
            if time.monotonic() > deadline:
                raise AssertionError(f"not archived after {CATCH_UP_S:.0f} s: {self.pawl.status()}\n{self.pawl.log_end()}")
            time.sleep(0.1)

    def stop_clean(self, case, versions):
        case.assertEqual(self.pawl.stop(), 0, self.pawl.log_end())
        status, report, text = self.verify("--deep")
        case.assertEqual(status, 0, text)
        case.assertEqual(report["versions"], versions, text)

    def log(self):
        with open(os.path.join(self.directory, "pawl.log"), encoding="utf-8") as file:
            return file.read()
