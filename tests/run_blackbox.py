#!/usr/bin/python3
"""Every black-box suite against one binary, one after the other.

    run_blackbox.py --pawl build/pawl [--ports 8100] [--long] [SUITE...]

Suites: oracle, clients, bucket, functions, hostile, recovery, scripted, s3, dynamodb, disk, crash. --long: more operations, seeds and kills.
Closes with one line of counts.
"""

import argparse
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)


def suites(long):
    operations = ["--operations", "100000"] if long else ["--operations", "20000"]
    return {
        "clients": ["clients/run.py"],
        "bucket": ["bucket/run.py"],
        "functions": ["functions/run.py"],
        "hostile": ["hostile/run.py"],
        "recovery": ["recovery/run.py"],
        "scripted": ["scripted/test_scripted_server.py"],
        "s3": ["s3/run.py"],
        "dynamodb": ["dynamodb/run.py"],
        "disk": ["disk/run.py"],
        "crash": ["crash/crash_test.py", "--kills", "200" if long else "20"],
        "oracle": ["oracle/differential.py", *operations],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pawl", required=True)
    parser.add_argument("--ports", type=int, default=8100)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("suites", nargs="*")
    options = parser.parse_args()
    chosen = {n: c for n, c in suites(options.long).items() if not options.suites or n in options.suites}
    totals = [0, 0, 0]
    for name, (script, *more) in chosen.items():
        print(f"== {name}", flush=True)
        begun = time.monotonic()
        process = subprocess.Popen(["/usr/bin/python3", os.path.join(HERE, script), "--pawl", options.pawl, "--ports", str(options.ports), *more],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        output = ""
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            output += line
        status = process.wait()
        counts = [int(c or 0) for c in (CLOSING.findall(output) or [(0, 1, 0)])[-1]]
        if status != 0 and counts[1] == 0:
            counts[1] = 1
        totals = [a + b for a, b in zip(totals, counts)]
        print(f"== {name}: {counts[0]} passed, {counts[1]} failed in {time.monotonic() - begun:.0f} s", flush=True)
    print(f"{totals[0]} passed, {totals[1]} failed" + (f", {totals[2]} skipped" if totals[2] else ""))
    return 1 if totals[1] or not totals[0] else 0


if __name__ == "__main__":
    sys.exit(main())
