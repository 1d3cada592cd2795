"""A table of DynamoDB Local, a bucket of Ceph's gateway, and workers of `pawl guard record` between them."""

import json
import os
import random
import signal
import subprocess
import threading
import time
import uuid

import boto3
from botocore.config import Config

from blackbox import suite

KEYS = {"aws_access_key_id": "guard", "aws_secret_access_key": "guard", "region_name": "us-east-1"}
CATCH_UP_S = 180.0


class Worker:
    """One process of `pawl guard record`; its output goes to a file of its own."""

    def __init__(self, scene, number):
        self.log_path = os.path.join(scene.directory, f"worker-{number}.log")
        self.command = scene.guard_command()
        self.process = None
        self.paused = False

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)
        self.paused = True

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)
        self.paused = False

    def stop(self, timeout_s=60.0):
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

    def log_end(self, size=3000):
        with open(self.log_path, "rb") as file:
            return file.read()[-size:].decode("utf-8", "replace")


class GuardScene:
    def __init__(self, dynamodb_url, s3_url, bucket="pawl-test", view="NEW_AND_OLD_IMAGES"):
        context = suite.current()
        self.binary = context.require_binary()
        self.directory = context.cleanup.directory()
        self.dynamodb_url, self.s3_url = dynamodb_url, s3_url
        self.table = "users-" + uuid.uuid4().hex[:8]
        self.archive = f"s3://{bucket}/{uuid.uuid4().hex[:12]}"
        self.names = "logs/{hashid}-{_version}.log"
        self.dynamodb = boto3.client("dynamodb", endpoint_url=dynamodb_url, config=Config(max_pool_connections=80), **KEYS)
        stream = {"StreamEnabled": True, "StreamViewType": view} if view else {"StreamEnabled": False}
        self.dynamodb.create_table(
            TableName=self.table, BillingMode="PAY_PER_REQUEST", StreamSpecification=stream,
            AttributeDefinitions=[{"AttributeName": "hashid", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "hashid", "KeyType": "HASH"}])
        self.workers = []

    def guard_command(self, *more):
        return [self.binary, "guard", "record", "--table", self.table, "--archive", self.archive, "--s3-endpoint",
                self.s3_url, "--dynamodb-endpoint", self.dynamodb_url, "--name", self.names, "--version-attribute",
                "_version", *more]

    def worker(self):
        worker = suite.current().cleanup.add(Worker(self, len(self.workers)))
        self.workers.append(worker)
        return worker.start()

    def run(self, *arguments, timeout_s=300):
        return subprocess.run([self.binary, *arguments], capture_output=True, text=True, timeout=timeout_s, check=False)

    def count(self, hashid):
        self.dynamodb.update_item(
            TableName=self.table, Key={"hashid": {"S": hashid}}, UpdateExpression="ADD #v :one",
            ExpressionAttributeNames={"#v": "_version"}, ExpressionAttributeValues={":one": {"N": "1"}})

    def remove(self, hashid):
        self.dynamodb.delete_item(TableName=self.table, Key={"hashid": {"S": hashid}})

    def verify(self, *more):
        done = self.run("verify", self.archive, "--s3-endpoint", self.s3_url, "--json", *more)
        try:
            return done.returncode, json.loads(done.stdout), done.stdout + done.stderr
        except ValueError:
            return done.returncode, None, done.stdout + done.stderr

    def wait_archived(self, versions):
        """Until the ledger has so many; returns the last report."""
        deadline = time.monotonic() + CATCH_UP_S
        while True:
            status, report, text = self.verify()
            if report is not None and report["versions"] >= versions:
                return report
            if time.monotonic() > deadline:
                logs = "\n".join(worker.log_end() for worker in self.workers)
                raise AssertionError(f"not archived: {versions} of {report and report['versions']}\n{text[-1500:]}\n{logs}")
            time.sleep(1)


class Writers:
    """Clients that count items up, each its own, so that the table itself tells how many changes there were."""

    def __init__(self, scene, count, items_each=5, pause_s=0.0):
        self.scene, self.done = scene, threading.Event()
        self.written = [0] * count
        self.threads = [threading.Thread(target=self._write, args=(n, items_each, pause_s)) for n in range(count)]

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
