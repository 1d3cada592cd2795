"""A table with a stream, a bucket, and workers of `pawl guard` between them."""

import json
import os
import random
import re
import signal
import subprocess
import threading
import time
import uuid

import boto3
from blackbox import suite
from botocore.config import Config

KEYS = {"aws_access_key_id": "guard", "aws_secret_access_key": "guard", "region_name": "us-east-1"}
COMMAND_S = 300.0
CATCH_UP_S = 240.0
NAMES = "logs/{hashid}-{_version}.log"


class Worker:
    """One process of `pawl guard record`; its output goes to a file of its own."""

    def __init__(self, scene, number, **environment):
        self.log_path = os.path.join(scene.directory, f"worker-{number}.log")
        self.command = scene.command()
        self.environment = {**os.environ, **environment}
        self.process = None
        self.paused = False

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.environment)
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.paused = False

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)
        self.paused = True

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)
        self.paused = False

    def stop(self, timeout_s=120.0):
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else None
        if self.paused:
            self.go_on()
        self.process.terminate()
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return "killed"

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_end(self):
        return self.log()[-3000:]

    def status(self):
        """The last status line."""
        return ([line for line in self.log().splitlines() if line.startswith("worker ")] or [""])[-1]


class Scene:
    """Workers of one table, wherever its engine and store are."""

    def __init__(self, table, archive, dynamodb_url, s3_url, names=NAMES, version_attribute="_version"):
        context = suite.current()
        self.binary = context.require_binary()
        self.directory = context.cleanup.directory()
        self.table, self.archive, self.dynamodb_url, self.s3_url = table, archive, dynamodb_url, s3_url
        self.dynamodb = boto3.client("dynamodb", endpoint_url=dynamodb_url, config=Config(max_pool_connections=80), **KEYS)
        self.options = (["--name", names] if names else []) + (["--version-attribute", version_attribute] if version_attribute else [])
        self.lease_table = "pawl-guard-" + table
        self.workers = []

    def command(self, *more):
        return [self.binary, "guard", "record", "--table", self.table, "--archive", self.archive, "--s3-endpoint",
                self.s3_url, "--dynamodb-endpoint", self.dynamodb_url, *self.options, *more]

    def worker(self, **environment):
        worker = suite.current().cleanup.add(Worker(self, len(self.workers), **environment))
        self.workers.append(worker)
        return worker.start()

    def run(self, *arguments, within_s=COMMAND_S, **environment):
        return subprocess.run([self.binary, *arguments], capture_output=True, text=True, timeout=within_s, check=False,
                              env={**os.environ, **environment})

    def preflight(self, *more, **environment):
        return self.run(*self.command("--preflight", *more)[1:], **environment)

    def verify(self, *more, within_s=COMMAND_S):
        done = self.run("verify", self.archive, "--s3-endpoint", self.s3_url, "--json", *more, within_s=within_s)
        try:
            return done.returncode, json.loads(done.stdout), done.stdout + done.stderr
        except ValueError:
            return done.returncode, None, done.stdout + done.stderr

    def wait_until(self, what, reached, timeout_s=CATCH_UP_S):
        deadline = time.monotonic() + timeout_s
        while not reached():
            if time.monotonic() > deadline:
                logs = "\n".join(worker.log_end() for worker in self.workers)
                raise AssertionError(f"not within {timeout_s:.0f} s: {what}\n{logs}")
            time.sleep(0.1)

    def wait_archived(self, versions, timeout_s=CATCH_UP_S):
        """Until the ledger has so many."""
        self.wait_until(f"{versions} versions", lambda: (self.verify()[1] or {"versions": 0})["versions"] >= versions, timeout_s)

    def lease_rows(self):
        try:
            rows = self.dynamodb.scan(TableName=self.lease_table, ConsistentRead=True)["Items"]
        except self.dynamodb.exceptions.ResourceNotFoundException:
            return {}
        return {row["name"]["S"]: json.loads(row["value"]["S"]) for row in rows}

    def reader(self):
        """The id of the worker that the one shard's row names; "" = none."""
        return next((row["owner"] for name, row in self.lease_rows().items() if name.startswith("shard/")), "")

    def worker_of(self, worker_id):
        return next((worker for worker in self.workers if worker_id and re.search(f"^worker {worker_id}", worker.log(), re.M)), None)

    def reading_worker(self, other_than=""):
        """Waits until a worker reads that has said its id; gives (id, worker)."""
        found = []

        def known():
            reader = self.reader()
            worker = self.worker_of(reader) if reader != other_than else None
            found[:] = [reader, worker] if worker else []
            return found
        self.wait_until("a reader", known)
        return found

    def check_sound(self, case, versions, gaps=0):
        """Every worker ends cleanly, and the archive has each version once, in order."""
        for worker in self.workers:
            if worker.process.poll() is None:
                case.assertEqual(worker.stop(), 0, worker.log_end())
        status, report, text = self.verify("--deep")
        case.assertEqual(status, 0, text)
        case.assertEqual((report["versions"], report["gaps"], report["untied"]), (versions, gaps, 0), text)
        return report


class LocalScene(Scene):
    """On DynamoDB Local and Ceph's gateway."""

    def __init__(self, dynamodb_url, s3_url, bucket="pawl-test", view="NEW_AND_OLD_IMAGES", **more):
        super().__init__("users-" + uuid.uuid4().hex[:8], f"s3://{bucket}/{uuid.uuid4().hex[:12]}", dynamodb_url, s3_url, **more)
        stream = {"StreamEnabled": True, "StreamViewType": view} if view else {"StreamEnabled": False}
        self.dynamodb.create_table(
            TableName=self.table, BillingMode="PAY_PER_REQUEST", StreamSpecification=stream,
            AttributeDefinitions=[{"AttributeName": "hashid", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "hashid", "KeyType": "HASH"}])

    def count(self, hashid):
        self.dynamodb.update_item(
            TableName=self.table, Key={"hashid": {"S": hashid}}, UpdateExpression="ADD #v :one",
            ExpressionAttributeNames={"#v": "_version"}, ExpressionAttributeValues={":one": {"N": "1"}})

    def remove(self, hashid):
        self.dynamodb.delete_item(TableName=self.table, Key={"hashid": {"S": hashid}})


class Writers:
    """Clients that count items up, each its own, so that the table itself tells how many changes there were."""

    def __init__(self, scene, count, items_each=5, pause_s=0.0):
        self.scene, self.done = scene, threading.Event()
        self.written = [0] * count
        self.threads = [threading.Thread(target=self._write, args=(n, items_each, pause_s), daemon=True) for n in range(count)]

    def _write(self, number, items, pause_s):
        chance = random.Random(number)
        while not self.done.is_set():
            self.scene.count(f"W{number:02}-{chance.randrange(items)}")
            self.written[number] += 1
            if pause_s:
                time.sleep(pause_s)

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()
        return sum(self.written)
