"""Reading a table's stream as fast as one reader can."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from datetime import datetime, timezone
from typing import Any

import requests_dynamodb as requests
import servers
from rows import FIRST_PORT, Measured, Row, Settings
from wrk import wrk

STREAMS = "DynamoDBStreams_20120810."
NEXT = b'"NextShardIterator":"'
RECORD = b'"eventID"'


class Reader:
    """One connection. Of an answer it looks at what it must, so that the server is what is measured."""

    def __init__(self, server: servers.Server) -> None:
        self.port = server.port
        self.http = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        table = requests.call(server.port, "DescribeTable", {"TableName": server.table})["Table"]
        self.arn = table["LatestStreamArn"]
        description = self.ask("DescribeStream", {"StreamArn": self.arn})["StreamDescription"]
        self.shards = [shard["ShardId"] for shard in description["Shards"]]

    def raw(self, operation: str, body: dict[str, Any]) -> bytes:
        payload = json.dumps(body).encode()
        headers = requests.headers_for(self.port, STREAMS + operation, payload, datetime.now(timezone.utc))
        self.http.request("POST", "/", payload, headers)
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{operation}: HTTP {answer.status}: {text[:300]!r}")
        return text

    def ask(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        return json.loads(self.raw(operation, body))

    def read_once(self) -> int:
        """Every record from the horizon to the first empty page of each shard."""
        records = 0
        for shard in self.shards:
            iterator = self.ask("GetShardIterator", {"StreamArn": self.arn, "ShardId": shard,
                                                     "ShardIteratorType": "TRIM_HORIZON"})["ShardIterator"]
            while iterator:
                text = self.raw("GetRecords", {"ShardIterator": iterator, "Limit": 1000})
                found = text.count(RECORD)
                records += found
                at = text.rfind(NEXT)
                if found == 0 or at < 0:
                    break
                iterator = text[at + len(NEXT):text.index(b'"', at + len(NEXT))].decode()
        return records


def read_stream(server: servers.Server, settings: Settings) -> Measured:
    file = server.cwd / "requests"
    runs: list[float] = []
    with server:
        server.create_table()
        bodies = [requests.update_body(server.table, i) for i in range(requests.ITEMS)]
        requests.write_requests(file, server.port, "UpdateItem", bodies)
        wrk(server.port, file, 64, settings.seconds, "retry-tokens")
        reader = Reader(server)
        in_stream = reader.read_once()  # not counted: it warms
        for _ in range(settings.runs):
            started, records = time.monotonic(), 0
            while time.monotonic() - started < settings.seconds:
                records += reader.read_once()
            runs.append(records / (time.monotonic() - started))
    return Measured(server.name, statistics.median(runs), "records/s", {"records_in_stream": in_stream}, runs)


def get_records(settings: Settings) -> Row:
    row = Row("get-records", "GetRecords, 1,000 a page, one reader on one connection", must="100,000 records/s")
    port = FIRST_PORT + 60
    for server in (servers.pawl(port, record=False), servers.dynamodb_local(port, on_disk=True),
                   servers.dynamodb_local(port, on_disk=False)):
        row.measured.append(read_stream(server, settings))
    return row
