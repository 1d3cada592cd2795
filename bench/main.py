#!/usr/bin/env python3
"""Measures the rows of docs/performance.md: main.py [--quick] [--list] [ROW...]. Started by bench/run.sh."""

from __future__ import annotations

import argparse
import os
import sys
import time

import bucket_rows
import guard_rows
import mapping_rows
import promises
import report
import rows
import servers
import stream_rows
from rows import Settings

ROWS = {
    "update-64": rows.update_64,
    "update-64-plain": rows.update_64_plain,
    "update-64-archived": rows.update_64_archived,
    "update-1": rows.update_1,
    "get-64": rows.get_64,
    "get-records": stream_rows.get_records,
    "put-64": bucket_rows.put_64,
    "durable": promises.durable,
    "drain": promises.drain,
    "verify": promises.verify,
    "idle": promises.idle,
    "guard-store": guard_rows.guard_store,
    "guard-fast": guard_rows.guard_fast,
    "guard-shards": guard_rows.guard_shards,
    "gaps": guard_rows.gaps,
    "mapping-rate": mapping_rows.mapping_rate,
    "mapping-latency": mapping_rows.mapping_latency,
}
FULL = Settings(runs=3, seconds=6, versions=1_000_000, paced_seconds=15)
QUICK = Settings(runs=1, seconds=2, versions=20_000, paced_seconds=4)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run.sh", description="Measures Pawl beside its peers.")
    parser.add_argument("--quick", action="store_true", help="one short run a row: shows that the harness works")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of: {', '.join(ROWS)} (default: all)")
    arguments = parser.parse_args()
    for name in arguments.rows:
        if name not in ROWS:
            parser.error(f"no row is named {name}; there are {', '.join(ROWS)}")
    return arguments


def main() -> int:
    arguments = parse_arguments()
    if arguments.list:
        print("\n".join(ROWS))
        return 0
    servers.WORK.mkdir(parents=True, exist_ok=True)
    about = report.machine()
    print("machine: " + "; ".join(f"{name} {value}" for name, value in about.items()))
    if os.getloadavg()[0] > 0.5:
        print("warning: the machine is busy; these figures will be too low")
    measured, failed, started = [], [], time.monotonic()
    try:
        for name in arguments.rows or ROWS:
            try:
                measured.append(ROWS[name](QUICK if arguments.quick else FULL))
                report.show(measured[-1])
            except Exception as error:  # one row that can't be measured does not cost the others
                failed.append(name)
                print(f"\n{name}: could not be measured: {error}", flush=True)
    finally:
        report.write(measured, about, servers.WORK)
        if not os.environ.get("PAWL_BENCH_KEEP"):
            servers.remove_all()
    print(f"\n{time.monotonic() - started:.0f} s; build/bench/results.json, build/bench/results.md")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
