"""Runs wrk once against one server and reads its figures."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

LUA = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True)
class Figures:
    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int


def wrk(port: int, requests: Path, connections: int, seconds: int, *options: str) -> Figures:
    """One thread: it drives 100,000 requests a second, and the second core is the server's."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", str(LUA),
               f"http://127.0.0.1:{port}/", "--", str(requests), *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60)
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    return Figures(per_second=figures["requests"] / (figures["duration_us"] / 1e6), p50_ms=figures["p50_us"] / 1000,
                   p99_ms=figures["p99_us"] / 1000, errors=figures["socket_errors"] + figures["http_errors"])
