"""The rows about buckets: `pawl serve` beside s3rver, which writes a file and does not sync it."""

from __future__ import annotations

import datetime
import socket
import sys
from pathlib import Path

import requests_s3
import servers
from rows import FIRST_PORT, Measured, Row, Settings, median_of
from wrk import wrk

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "s3")]

import s3rver  # noqa: E402: installed once


def peer(port: int) -> servers.Server:
    data = servers.fresh_directory("s3rver")
    return servers.Server("s3rver, disk, unsynced", [*s3rver.command(port, data, requests_s3.BUCKET), "--silent"], data, port)


def make_bucket(port: int) -> None:
    request = requests_s3.put_text(port, f"/{requests_s3.BUCKET}", b"", datetime.datetime.now(datetime.timezone.utc))
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request)
        answer = connection.recv(4096)
    if answer.split(b" ", 2)[1] not in (b"200", b"409"):
        raise RuntimeError(f"the bucket could not be made: {answer[:300]!r}")


def load(server: servers.Server, settings: Settings) -> Measured:
    file = server.cwd / "requests"
    with server:
        make_bucket(server.port)
        requests_s3.write_puts(file, server.port)
        wrk(server.port, file, 64, 2)
        return median_of(server.name, [wrk(server.port, file, 64, settings.seconds) for _ in range(settings.runs)])


def put_64(settings: Settings) -> Row:
    row = Row("put-64", "PutObject of 120 bytes, durable, 64 connections", must="3 × s3rver, 5,100/s", aim="5 ×")
    row.measured.append(load(servers.pawl(FIRST_PORT + 5), settings))
    row.measured.append(load(peer(FIRST_PORT + 5), settings))
    return row
