"""The rows about tables and buckets of others: `pawl guard record` and `pawl gaps`.

The engines are Ceph's gateway (tests/s3) and the scripted server (tests/scripted), whose tables and buckets are formulas: of any
size, and as fast as one core answers. DynamoDB Local takes 500 writes a second, and can't be drained faster.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import servers
from promises import resident_mib, run_measured
from requests_dynamodb import REGION, signing_key
from rows import FIRST_PORT, Measured, Row, Settings
from wrk import wrk

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "s3"), str(TESTS / "scripted")]

import ceph  # noqa: E402
from server import ScriptedAws  # noqa: E402

BODY = b"x" * 450  # about what an object of the table below has
FAR = 10_000_000  # changes that no run comes to the end of
PATIENCE_S = 180
WARM_UP_S = 3  # until a worker has found out how much the store takes
ENVIRONMENT = {**os.environ, **ceph.KEYS, "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True)
class Worker:
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def scripted() -> Iterator[ScriptedAws]:
    server = ScriptedAws(str(servers.PAWL))
    try:
        server.control("settings", describes_per_s=0)
        yield server
    finally:
        server.stop()


def table_of(server: ScriptedAws, shards: int, items: int, versions: int) -> None:
    server.control("tables", table="bench", generate={"items": items, "versions": versions, "shards": shards, "ago_s": 3600,
                                                      "span_s": 3000, "version_attribute": "version"})


@contextmanager
def recording(dynamodb: str, s3: str, archive: str) -> Iterator[Worker]:
    folder = servers.fresh_directory("guard")
    command = [str(servers.PAWL), "guard", "record", "--table", "bench", "--archive", archive, "--s3-endpoint", s3,
               "--dynamodb-endpoint", dynamodb, "--name", "logs/{hashid}-{version}.log", "--version-attribute", "version"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT)
    try:
        yield Worker(process, folder / "log")
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(what: str, reached: Callable[[], bool], worker: Worker) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        if worker.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not reached; see {worker.log}")
        time.sleep(0.2)


def rate(count: Callable[[], int], seconds: float) -> float:
    """What is counted, a second."""
    before, begun = count(), time.monotonic()
    time.sleep(seconds)
    after, ended = count(), time.monotonic()
    return (after - before) / (ended - begun)


def stored_rate(store: Any, bucket: str, seconds: int) -> float:
    """Objects that the store wrote in each of some seconds after the warm-up, by its own clock. Listed when the writer has stopped:
    a listing does not catch up with a bucket that grows."""
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="guarded/logs/")
    written = [int(entry["LastModified"].timestamp()) for page in pages for entry in page.get("Contents", [])]
    first = min(written) + WARM_UP_S
    return sum(first <= instant < first + seconds for instant in written) / seconds


def signed_puts(path: Path, port: int, bucket: str, count: int) -> None:
    """Requests for wrk, each to be sent once: an object that must not be there, in the form in which S3 signs them."""
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    scope, digest, host = f"{day}/{REGION}/s3/aws4_request", hashlib.sha256(BODY).hexdigest(), f"127.0.0.1:{port}"
    key = signing_key(ceph.KEYS["AWS_SECRET_ACCESS_KEY"], day, "s3")
    names = "host;if-none-match;x-amz-content-sha256;x-amz-date"
    with path.open("wb") as out:
        for number in range(count):
            uri = f"/{bucket}/bare/{number:07d}-0.log"
            canonical = f"PUT\n{uri}\n\nhost:{host}\nif-none-match:*\nx-amz-content-sha256:{digest}\nx-amz-date:{stamp}\n\n{names}\n{digest}"
            to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
            signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
            text = (f"PUT {uri} HTTP/1.1\r\nhost: {host}\r\nif-none-match: *\r\nx-amz-content-sha256: {digest}\r\nx-amz-date: {stamp}\r\n"
                    f"authorization: AWS4-HMAC-SHA256 Credential={ceph.KEYS['AWS_ACCESS_KEY_ID']}/{scope}, SignedHeaders={names}, "
                    f"Signature={signature}\r\ncontent-length: {len(BODY)}\r\n\r\n").encode() + BODY
            out.write(b"%d\n%b\n" % (len(text), text))


def guard_store(settings: Settings) -> Row:
    """By turns, so that both see the same gateway: it gets slower the more objects it has."""
    row = Row("guard-store", "`pawl guard record` on Ceph's gateway, one worker, against what the gateway takes from a writer alone",
              must="85 % of it")
    port = FIRST_PORT + 20
    gateway = ceph.Ceph(str(servers.fresh_directory("ceph")), port)
    ours, alone = [], []
    try:
        store = ceph.client(gateway.url)
        for run in range(settings.runs):
            bucket = f"bench-{run}"
            store.create_bucket(Bucket=bucket)
            requests = servers.fresh_directory("puts") / "requests"
            signed_puts(requests, gateway.port, bucket, 4000 * settings.seconds)
            alone.append(wrk(gateway.port, requests, 64, settings.seconds).per_second)

            def begun() -> bool:
                return store.list_objects_v2(Bucket=bucket, Prefix="guarded/logs/", MaxKeys=1)["KeyCount"] > 0

            with scripted() as engine:
                table_of(engine, 8, FAR // 100, 100)
                with recording(engine.url, gateway.url, f"s3://{bucket}/guarded") as worker:
                    wait_until("first objects", begun, worker)
                    time.sleep(WARM_UP_S + settings.seconds)
            ours.append(stored_rate(store, bucket, settings.seconds))
    finally:
        gateway.stop()
    for system, runs in (("Pawl", ours), ("64 connections that put, no Pawl", alone)):
        row.measured.append(Measured(system, statistics.median(runs), "objects/s", runs=runs))
    return row


def guard_fast(settings: Settings) -> Row:
    row = Row("guard-fast", "`pawl guard record` against engine and store that answer after 1 ms, one worker, 32 shards",
              must="8,000 versions/s")
    runs, memory = [], 0.0
    for _ in range(settings.runs):
        with scripted() as server:
            table_of(server, 32, FAR // 100, 100)
            server.control("buckets", bucket="bench")
            server.control("settings", latency_ms=1, puts_max=1)
            puts = lambda: server.asked("counters")["requests"].get("PutObject", {}).get("200", 0)  # noqa: E731
            with recording(server.url, server.url, "s3://bench/guarded") as worker:
                wait_until("first objects", lambda: puts() > 5000, worker)
                runs.append(rate(puts, settings.seconds))
                memory = max(memory, resident_mib(worker.process.pid))
    row.measured.append(Measured("Pawl", statistics.median(runs), "puts/s", {"resident_mib": memory}, runs))
    return row


def guard_shards(settings: Settings) -> Row:
    row = Row("guard-shards", "4,000 open shards on one worker", must="256 MiB")
    shards = 4000 if settings.runs > 1 else 400
    with scripted() as server:
        table_of(server, shards, shards * 10, 10)
        server.control("buckets", bucket="bench")
        server.control("settings", puts_max=1)
        with recording(server.url, server.url, "s3://bench/guarded") as worker:
            begun = time.monotonic()

            def all_there() -> bool:
                lines = re.findall(r"^worker .*?: ([\d,]+) shards, ([\d,]+) changes", worker.log.read_text(), re.MULTILINE)
                return bool(lines) and [int(text.replace(",", "")) for text in lines[-1]] == [shards, shards * 100]

            wait_until(f"{shards} shards and all their changes", all_there, worker)
            seconds = time.monotonic() - begun
            row.measured.append(Measured("Pawl", resident_mib(worker.process.pid, "VmHWM"), "MiB",
                                         {"changes": shards * 100, "seconds_until_all_archived": seconds}))
    return row


def gaps(settings: Settings) -> Row:
    row = Row("gaps", "`pawl gaps` on a bucket of 10,000,000 names, one hole in a thousand", must="500,000 names/s")
    names = 10 * settings.versions
    with scripted() as server:
        server.control("buckets", bucket="bench", generate={"items": names // 10, "versions": 10, "hole_every": 1000, "hole_offset": 7,
                                                            "template": "logs/A%07d-%d.log"})
        status, output, seconds, peak_mib = run_measured(
            servers.fresh_directory("gaps"), "gaps", "s3://bench", "--name", "logs/{hashid}-{version}.log", "--s3-endpoint", server.url,
            "--json", env=ENVIRONMENT)
    if status != 1:
        raise RuntimeError(f"pawl gaps ended with status {status}")
    found = json.loads(output)
    row.measured.append(Measured("Pawl", found["names"] / seconds, "names/s",
                                 {"names": found["names"], "holes": len(found["gaps"]), "seconds": seconds,
                                  "max_rss_mib": peak_mib}))
    return row
