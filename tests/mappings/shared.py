"""What the tests of this folder share: a table with a stream, a function that writes down what it was given, and a mapping."""

import io
import json
import uuid
import zipfile

import boto3
from botocore.config import Config

from blackbox import suite
from blackbox.client_case import PATIENCE_S, ClientCase, wait_until

ROLE = "arn:aws:iam::000000000000:role/x"

# Puts one object a record, as the design of the article does, and one a batch. What a record's `do` says is done first.
HANDLER = """
import json, os, time, uuid
import boto3
s3 = boto3.client("s3")
BUCKET = os.environ["BUCKET"]

def stopped():
    return s3.list_objects_v2(Bucket=BUCKET, Prefix="stop").get("KeyCount", 0) > 0

def lambda_handler(event, context):
    if stopped():
        raise RuntimeError("stopped on purpose")
    records = event["Records"]
    answer = None
    failures = []
    for record in records:
        image = record["dynamodb"].get("NewImage", {})
        do = image.get("do", {}).get("S", "")
        key = record["dynamodb"]["Keys"]["id"]["S"]
        version = image.get("v", {}).get("N", "removed")
        if do == "raise":
            raise ValueError("poisoned: " + key)
        if do == "report":
            failures.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
            continue
        if not failures:
            s3.put_object(Bucket=BUCKET, Key=f"logs/{key}-{version}.log", Body=json.dumps(record).encode())
        first_time = do and not s3.list_objects_v2(Bucket=BUCKET, Prefix="tried/" + key).get("KeyCount", 0)
        if first_time:
            s3.put_object(Bucket=BUCKET, Key="tried/" + key, Body=b"")
            if do == "exit":
                os._exit(3)
            if do == "hang":
                time.sleep(1000)
            if do == "rubbish":
                answer = ["rubbish"]
    name = f"batches/{time.time_ns():020d}-{uuid.uuid4().hex[:4]}"
    s3.put_object(Bucket=BUCKET, Key=name, Body=json.dumps([[r["dynamodb"]["Keys"]["id"]["S"],
        r["dynamodb"]["SequenceNumber"], r["eventID"][:20]] for r in records]).encode())
    return answer if answer is not None else {"batchItemFailures": failures}
"""


def client(service="lambda", url=None, **config):
    options = {"retries": {"max_attempts": 0}, "read_timeout": 120, **config}
    return boto3.session.Session().client(service, endpoint_url=url or suite.current().url, config=Config(**options))


def fresh(prefix="m"):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def zipped(code):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("handler.py", code)
    return out.getvalue()


class Scene:
    """A table, a bucket and a function of their own, on one server."""

    def __init__(self, url=None, code=HANDLER, timeout_s=100, **more):
        self.url = url
        self.name = fresh()
        self.ddb, self.s3, self.api = client("dynamodb", url), client("s3", url), client("lambda", url)
        table = self.ddb.create_table(
            TableName=self.name, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
        self.arn = table["TableDescription"]["LatestStreamArn"]
        self.s3.create_bucket(Bucket=self.name)
        self.api.create_function(FunctionName=self.name, Runtime="python3.11", Role=ROLE, Handler="handler.lambda_handler",
                                 Code={"ZipFile": zipped(code)}, Timeout=timeout_s,
                                 Environment={"Variables": {"BUCKET": self.name}}, **more)

    def warm(self):
        self.api.invoke(FunctionName=self.name, Payload=json.dumps({"Records": []}))

    def map(self, **more):
        settings = {"StartingPosition": "TRIM_HORIZON", **more}
        made = self.api.create_event_source_mapping(EventSourceArn=self.arn, FunctionName=self.name, **settings)
        self.uuid = made["UUID"]
        if settings.get("Enabled", True):
            wait_until(lambda: self.state() == "Enabled", what="enabling")
        return made

    def get(self):
        return self.api.get_event_source_mapping(UUID=self.uuid)

    def state(self):
        return self.get()["State"]

    def put(self, key, version=0, do=None):
        item = {"id": {"S": key}, "v": {"N": str(version)}}
        if do:
            item["do"] = {"S": do}
        self.ddb.put_item(TableName=self.name, Item=item)

    def names(self, prefix="logs/"):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def logs(self):
        return {name[len("logs/"):-len(".log")] for name in self.names()}

    def body(self, name):
        return self.s3.get_object(Bucket=self.name, Key=name)["Body"].read()

    def batches(self):
        return [json.loads(self.body(name)) for name in self.names("batches/")]

    def await_logs(self, wanted, timeout_s=PATIENCE_S):
        wanted = set(wanted)
        wait_until(lambda: wanted <= self.logs(), timeout_s, f"{len(wanted)} objects")

    def status(self, pawl):
        return next(one for one in pawl.status()["mappings"] if one["uuid"] == self.uuid)

    def stop_function(self):
        self.s3.put_object(Bucket=self.name, Key="stop", Body=b"")

    def mend_function(self):
        self.s3.delete_object(Bucket=self.name, Key="stop")


class Case(ClientCase):
    def check_order(self, batches, dead=()):
        """Each shard's changes come in their order; what is delivered again begins further back, and goes on from there. `dead`:
        shard number and sequence number of what may be passed over."""
        newest = {}
        dead = {(f"{shard:04x}", int(sequence)) for shard, sequence in dead}
        for batch in batches:
            for _, sequence, shard in batch:
                due = newest.get(shard, int(sequence) - 1) + 1
                while (shard[16:], due) in dead:
                    due += 1
                self.assertLessEqual(int(sequence), due, "a change was passed over")
                newest[shard] = max(newest.get(shard, 0), int(sequence))
