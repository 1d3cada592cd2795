"""What is measured: one function a row of the table in docs/performance.md."""

from __future__ import annotations

import json
import statistics
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field

import requests_dynamodb as requests
import servers
from wrk import Figures, wrk

FIRST_PORT = 8230


@dataclass(frozen=True)
class Settings:
    runs: int
    seconds: int
    versions: int  # for `verify` and `drain`
    paced_seconds: int


@dataclass
class Measured:
    """One system in one row. `runs` holds each run; value is the median of what the row is about."""

    system: str
    value: float
    unit: str
    details: dict[str, float] = field(default_factory=dict)
    runs: list[float] = field(default_factory=list)
    errors: int = 0


@dataclass
class Row:
    name: str
    work: str
    measured: list[Measured] = field(default_factory=list)
    must: str = ""
    aim: str = ""
    ours: int = 0  # index in `measured`; ratios are ours to each of the others


def median_of(system: str, runs: list[Figures]) -> Measured:
    return Measured(system, statistics.median(run.per_second for run in runs), "ops/s",
                    {"p50_ms": statistics.median(run.p50_ms for run in runs),
                     "p99_ms": statistics.median(run.p99_ms for run in runs)},
                    [run.per_second for run in runs], sum(run.errors for run in runs))


def load(server: servers.Server, settings: Settings, connections: int, target: str, *options: str,
         filled: bool = False, note: Callable[[servers.Server], dict[str, float]] | None = None) -> Measured:
    """Starts the server on a fresh directory, drives it `runs` times after a run that is not counted.

    `note` is asked right after the last run, while the server still has all its work in hand.
    """
    body = requests.get_body if target == "GetItem" else requests.update_body
    file = server.cwd / "requests"
    with server:
        server.create_table()
        if filled:
            requests.write_requests(file, server.port, "UpdateItem",
                                    [requests.update_body(server.table, i) for i in range(requests.ITEMS)])
            wrk(server.port, file, 64, max(4, settings.seconds))
        bodies = [body(server.table, i) for i in range(requests.ITEMS)]
        requests.write_requests(file, server.port, target, bodies)
        wrk(server.port, file, connections, 2, *options)
        runs = [wrk(server.port, file, connections, settings.seconds, *options) for _ in range(settings.runs)]
        measured = median_of(server.name, runs)
        if note:
            measured.details.update(note(server))
        return measured


def archive_lag(server: servers.Server) -> dict[str, float]:
    """How far the archiver is behind: changes, and the age of the oldest."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/status", timeout=30) as answer:
        status = json.load(answer)
    return {"lag_changes": status["lag"], "lag_ms": status["oldest_age_ms"]}


def peers(port: int) -> list[Callable[[], servers.Server]]:
    return [lambda: servers.dynamodb_local(port, on_disk=True), lambda: servers.dynamodb_local(port, on_disk=False),
            lambda: servers.dynalite(port)]


def side_by_side(row: Row, settings: Settings, ours: list[Callable[[], servers.Server]], port: int, connections: int,
                 target: str, filled: bool = False) -> Row:
    for make in ours + peers(port):
        row.measured.append(load(make(), settings, connections, target, "retry-tokens", filled=filled))
    return row


def update_64(settings: Settings) -> Row:
    row = Row("update-64", "durable UpdateItem `ADD #v :one`, 64 connections, archiver idle",
              must="25 × DynamoDB Local on disk, 15,000/s", aim="40 ×")
    return side_by_side(row, settings, [lambda: servers.pawl(FIRST_PORT, record=False)], FIRST_PORT, 64, "UpdateItem")


def update_64_plain(settings: Settings) -> Row:
    row = Row("update-64-plain", "the same, requests without the SDK's retry token")
    row.measured.append(load(servers.pawl(FIRST_PORT + 1, record=False), settings, 64, "UpdateItem"))
    return row


def update_64_archived(settings: Settings) -> Row:
    """The archiver must keep up: `lag_changes` and `lag_ms` are what it was behind when the last run ended."""
    row = Row("update-64-archived", "the same, every version archived to the same disk",
              must="15 × DynamoDB Local on disk, 9,000/s, p99 ≤ 25 ms", aim="20 ×")
    server = servers.pawl(FIRST_PORT + 2)
    row.measured.append(load(server, settings, 64, "UpdateItem", "retry-tokens", note=archive_lag))
    row.measured.append(load(servers.dynamodb_local(FIRST_PORT + 2, on_disk=True), settings, 64, "UpdateItem",
                             "retry-tokens"))
    return row


def update_1(settings: Settings) -> Row:
    row = Row("update-1", "durable UpdateItem, one connection, archiver idle", must="4 × DynamoDB Local on disk",
              aim="5 ×")
    return side_by_side(row, settings, [lambda: servers.pawl(FIRST_PORT + 3, record=False)], FIRST_PORT + 3, 1,
                        "UpdateItem")


def get_64(settings: Settings) -> Row:
    row = Row("get-64", "GetItem, consistent, 64 connections", must="4 × DynamoDB Local on disk", aim="5 ×")
    return side_by_side(row, settings, [lambda: servers.pawl(FIRST_PORT + 4)], FIRST_PORT + 4, 64, "GetItem",
                        filled=True)
