"""The rows about event source mappings: how fast a backlog reaches a do-nothing function, and how soon a change does."""

from __future__ import annotations

import io
import json
import statistics
import threading
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import boto3

import requests_dynamodb as requests
import servers
from promises import percentile
from rows import FIRST_PORT, Measured, Row, Settings
from wrk import wrk

PACE_PER_S = 500
WRITERS = 4
SETTLE_S = 120
NOTHING = "def lambda_handler(event, context):\n    return None\n"
# When its handler began, for each record, into a file a process.
NOTES = """
import os, time
out = open(os.environ["NOTES"] + "/" + str(os.getpid()), "a", buffering=1)

def lambda_handler(event, context):
    now = time.time_ns()
    out.write("".join(f"{r['dynamodb']['Keys']['hashid']['S']} {now}\\n" for r in event["Records"]))
"""


def client(server: servers.Server, service: str) -> Any:
    return boto3.client(service, endpoint_url=f"http://127.0.0.1:{server.port}", region_name="us-east-1", aws_access_key_id="x",
                        aws_secret_access_key="x")


def make_function(server: servers.Server, code: str, **environment: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", code)
    api = client(server, "lambda")
    api.create_function(FunctionName="bench", Runtime="python3.11", Role="arn:aws:iam::000000000000:role/x",
                        Handler="handler.lambda_handler", Code={"ZipFile": packed.getvalue()}, Timeout=60,
                        Environment={"Variables": environment})
    api.invoke(FunctionName="bench", Payload=json.dumps({"Records": []}))


def make_mapping(server: servers.Server, **more: Any) -> str:
    table = client(server, "dynamodb").describe_table(TableName=server.table)["Table"]
    made = client(server, "lambda").create_event_source_mapping(
        FunctionName="bench", EventSourceArn=table["LatestStreamArn"], **{"StartingPosition": "TRIM_HORIZON", **more})
    return made["UUID"]


def mapping_status(server: servers.Server) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/status") as answer:
        return json.loads(answer.read())["mappings"][0]


def drained(server: servers.Server) -> int:
    """Waits until the mapping has delivered everything; returns how many changes that were."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        status = mapping_status(server)
        if status["shards"] and status["lag"] == 0 and status["state"] == "Enabled":
            return int(status["delivered"])
        if time.monotonic() > deadline:
            raise RuntimeError(f"the mapping stands at {status}")
        time.sleep(0.005)


def mapping_rate(settings: Settings) -> Row:
    row = Row("mapping-rate", "changes in a stream → a do-nothing Python handler, batches of 1,000", must="20,000/s", aim="50,000/s")
    runs = []
    for run in range(settings.runs):
        server = servers.pawl(FIRST_PORT + 20 + run, record=False)
        with server:
            server.create_table()
            make_function(server, NOTHING)
            file = server.cwd / "requests"
            requests.write_requests(file, server.port, "UpdateItem",
                                    [requests.update_body(server.table, i, "NONE") for i in range(requests.ITEMS)])
            wrk(server.port, file, 64, settings.seconds)
            make_mapping(server, BatchSize=1000, Enabled=False)
            mapping = mapping_status(server)["uuid"]
            started = time.monotonic()
            client(server, "lambda").update_event_source_mapping(UUID=mapping, Enabled=True)
            changes = drained(server)
            runs.append(changes / (time.monotonic() - started))
    row.measured.append(Measured("Pawl", statistics.median(runs), "records/s", {"changes": changes}, runs))
    return row


def write_paced(server: servers.Server, seconds: int, prefix: str) -> dict[str, int]:
    """New items, whose keys begin with `prefix` (an item that is put again as it is makes no change); when each was acknowledged."""
    acknowledged: dict[str, int] = {}

    def write(writer: int) -> None:
        api = client(server, "dynamodb")
        due = time.monotonic()
        for n in range(seconds * PACE_PER_S // WRITERS):
            key = f"{prefix}-{writer}-{n}"
            api.put_item(TableName=server.table, Item={"hashid": {"S": key}, "v": {"N": str(n)}})
            acknowledged[key] = time.time_ns()
            due += WRITERS / PACE_PER_S
            time.sleep(max(0.0, due - time.monotonic()))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return acknowledged


def begun(notes: Path) -> dict[str, int]:
    """The first time that each key was given to a handler."""
    found: dict[str, int] = {}
    for file in notes.iterdir():
        for line in file.read_text().splitlines():
            key, at = line.split()
            found[key] = min(found.get(key, int(at)), int(at))
    return found


def mapping_latency(settings: Settings) -> Row:
    row = Row("mapping-latency", "acknowledged write → the handler begins, 500 writes/s", must="p99 ≤ 30 ms", aim="p99 ≤ 10 ms")
    server = servers.pawl(FIRST_PORT + 25)
    notes = server.cwd / "notes"
    notes.mkdir()
    notes.chmod(0o777)
    with server:
        server.create_table()
        make_function(server, NOTES, NOTES=str(notes))
        make_mapping(server, BatchSize=100)
        write_paced(server, 2, "before")  # each shard has its process
        time.sleep(1)
        for file in notes.iterdir():
            file.write_text("")
        acknowledged = write_paced(server, settings.paced_seconds, "timed")
        drained(server)
        time.sleep(0.5)
        seen = begun(notes)
    waits = [max(0, seen[key] - at) / 1e6 for key, at in acknowledged.items()]
    row.measured.append(Measured("Pawl", percentile(waits, 99), "ms (p99)",
                                 {"p50_ms": percentile(waits, 50), "p999_ms": percentile(waits, 99.9), "writes": len(waits)}))
    return row
