"""What the tests of this folder share: a server that supervises a function, and the function, which does what a record's `do` says."""

import io
import json
import urllib.request
import uuid
import zipfile

import boto3
from botocore.config import Config

from blackbox import servers, suite
from blackbox.client_case import ClientCase, wait_until

ROLE = "arn:aws:iam::000000000000:role/x"
BUCKET = "history"
DEADLINE_S = 4
LONG_S = 300  # where all comes by itself: how long that takes says nothing then

# Writes one object a record, as the design of the article does. What it was given is written down in a bucket of its own.
HANDLER = """
import json, os
import boto3
s3 = boto3.client("s3")
MARKS = os.environ["MARKS"]

def times_before(event):
    return s3.list_objects_v2(Bucket=MARKS, Prefix=f"given/{event}-").get("KeyCount", 0)

def lambda_handler(event, context):
    for record in event["Records"]:
        change = record["dynamodb"]
        before = times_before(record["eventID"])
        s3.put_object(Bucket=MARKS, Key=f"given/{record['eventID']}-{before}", Body=json.dumps(record).encode())
        gone = record["eventName"] == "REMOVE"
        image = change["OldImage" if gone else "NewImage"]
        key, version = image["id"]["S"], image["v"]["N"]
        do = "" if gone else image.get("do", {}).get("S", "")
        name = f"logs/{key}-{version}.log" + (f".removed-{version}" if gone else "")
        body = json.dumps([key, version, record["eventName"], "x" * int(image.get("size", {}).get("N", "0"))]).encode()
        if do == "drop" or do == "drop-once" and before == 0:
            continue
        if do == "exit" and before == 0:
            os._exit(3)
        s3.put_object(Bucket=BUCKET, Key=name, Body=body)
        if do == "twice":
            s3.put_object(Bucket=BUCKET, Key=name, Body=body)
        if do == "other-later":
            s3.put_object(Bucket=BUCKET, Key=name, Body=body + b" and more")
""".replace("Bucket=BUCKET", f"Bucket={BUCKET!r}")


def client(service, url):
    return boto3.session.Session().client(service, endpoint_url=url, config=Config(retries={"max_attempts": 0}, read_timeout=120))


def zipped(code):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("handler.py", code)
    return out.getvalue()


class Scene:
    """A server with one expectation, for the table `users`, which is made after its start; a function, and its mapping."""

    def __init__(self, expect="", record=None, server="", maps=True, stream=True, expects_later=False,
                 deadline_s=DEADLINE_S):
        self.binary = suite.current().require_binary()
        config = f"[server]\n{server}\n[tables.users]\npartitions = 2\n"
        if record:
            config += f'record = "{record}"\n'
        config += f'[tables.users.expect]\nbucket = "{BUCKET}"\nname = "logs/{{id}}-{{v}}.log"\ndeadline = "{deadline_s}s"\n{expect}\n'
        self.config = config
        directory = suite.current().cleanup.directory()
        self.pawl = suite.current().cleanup.add(
            servers.Pawl(self.binary, suite.current().ports, directory, "" if expects_later else config))
        self.pawl.start()
        self.url = self.pawl.url
        self.ddb, self.s3, self.api = (client(name, self.url) for name in ("dynamodb", "s3", "lambda"))
        self.marks = f"marks-{uuid.uuid4().hex[:8]}"
        self.s3.create_bucket(Bucket=self.marks)
        self.written = 0
        self.make_table(stream)
        self.api.create_function(FunctionName="writer", Runtime="python3.11", Role=ROLE, Handler="handler.lambda_handler",
                                 Code={"ZipFile": zipped(HANDLER)}, Timeout=100, Environment={"Variables": {"MARKS": self.marks}})
        if maps:
            self.map()
            self.warm()

    def start_with(self, config):
        with open(self.pawl.config, "w", encoding="utf-8") as file:
            file.write(config)
        self.pawl.stop()
        self.pawl.start()

    def make_table(self, stream=True):
        more = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}} if stream else {}
        made = self.ddb.create_table(
            TableName="users", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], **more)
        self.arn = made["TableDescription"].get("LatestStreamArn")

    def map(self, **more):
        made = self.api.create_event_source_mapping(
            **{"EventSourceArn": self.arn, "FunctionName": "writer", "StartingPosition": "TRIM_HORIZON", **more})
        wait_until(lambda: self.api.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled", what="enabling")

    def warm(self):
        """The function's start is no part of what a deadline measures."""
        self.api.invoke(FunctionName="writer", Payload=json.dumps({"Records": []}))

    def put(self, key, version=0, do=None, size=0):
        item = {"id": {"S": key}, "v": {"N": str(version)}}
        if do:
            item["do"] = {"S": do}
        if size:
            item["size"] = {"N": str(size)}
        self.ddb.put_item(TableName="users", Item=item)
        self.written += 1

    def remove(self, key):
        self.ddb.delete_item(TableName="users", Key={"id": {"S": key}})
        self.written += 1

    def names(self, prefix="logs/", bucket=BUCKET):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return sorted(found["Key"] for page in pages for found in page.get("Contents", []))

    def body(self, name):
        return self.s3.get_object(Bucket=BUCKET, Key=name)["Body"].read()

    def given(self):
        """How often the function was given each change: by its place in the table's stream."""
        counts = {}
        for name in self.names("given/", self.marks):
            event = name.rsplit("-", 1)[0]
            counts[event] = counts.get(event, 0) + 1
        return counts

    def expectation(self):
        status = self.pawl.status()
        found = status["expectations"] if status else []
        return found[-1] if found else None

    def settle(self, changes=None, timeout_s=180.0):
        """Waits until all changes are in the ledger, and gives what the status says then."""
        wanted = self.written if changes is None else changes

        def settled():
            one = self.expectation()
            return one if one and one["entered"] >= wanted and one["lag"] == 0 else None
        return wait_until(settled, timeout_s, f"{wanted} changes in the ledger: {self.expectation()}")

    def verify(self, *more):
        done = self.pawl.run("verify", f"s3://{BUCKET}", "--s3-endpoint", self.url, "--deep", "--json", *more)
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"verify said: {done.stdout}{done.stderr}") from None

    def log(self):
        with open(self.pawl.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def metrics(self):
        with urllib.request.urlopen(self.url + "/metrics", timeout=120) as answer:
            lines = answer.read().decode().splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if line.startswith("pawl_expectation"))


class Case(ClientCase):
    def check_sound(self, scene, foreign, repaired=0, redelivered=0, versions=None):
        code, report = scene.verify()
        self.assertEqual(code, 0, report)
        self.assertEqual(report["verdict"], "sound", report)
        self.assertEqual(report["versions"], foreign + repaired if versions is None else versions, report)
        self.assertEqual((report["foreign"], report["repaired"], report["redelivered"], report["gaps"]),
                         (foreign, repaired, redelivered, 0), report)
        return report
