#!/usr/bin/env python3
"""What ./test runs once everything is installed and built: main.py [--all] [--only TEXT]... [--list].

Each step leaves a log in build/test-logs/. The last line is `N passed, N failed` and the exit status says the
same: 0 all passed, 1 something failed, 2 could not run.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from lint import lint_steps
from long_runs import long_steps
from progress import Progress
from quick import quick_steps
from step import LOGS, Outcome, Step, interrupt, log_path


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./test", description="Builds Pawl and runs its tests.")
    parser.add_argument("--all", action="store_true",
                        help="also sanitizer builds, clang-tidy, fuzzing and the long runs (up to 45 minutes)")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT",
                        help="only the steps whose name contains TEXT (may be given again)")
    parser.add_argument("--list", action="store_true", help="name the steps and end")
    return parser.parse_args()


def closing_line(total: Outcome) -> str:
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    return f"{total.passed} passed, {total.failed} failed{skipped}"


def run_step(step: Step, progress: Progress) -> Outcome:
    log = log_path(step.name)
    log.unlink(missing_ok=True)
    progress.begin(step.name)
    try:
        outcome = step.run(log)
    except Exception as error:  # a step that can't run is a failure of that step, not of the others
        outcome = Outcome(failed=1, notes=[f"could not run: {type(error).__name__}: {error}"])
    progress.end(step.name, outcome, log)
    return outcome


def run_all(steps: list[Step], progress: Progress) -> Outcome:
    """In their order; those that stand beside each other in it and may run so are given to a few lanes, more than cores: they wait
    for time-outs, leases and other people's servers most of the time."""
    lanes = min(3, (os.cpu_count() or 1) + 1)
    total = Outcome()
    for beside, group in itertools.groupby(steps, lambda step: step.beside):
        pool = ThreadPoolExecutor(max_workers=lanes if beside else 1)
        try:
            for outcome in pool.map(lambda step: run_step(step, progress), group):
                total.add(outcome)
        except KeyboardInterrupt:
            interrupt()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
    return total


def main() -> int:
    arguments = parse_arguments()
    steps = lint_steps(arguments.all) + quick_steps(arguments.all)
    if arguments.all:
        steps += long_steps()
    if arguments.only:
        steps = [step for step in steps if any(text in step.name for text in arguments.only)]
    if arguments.list:
        print("\n".join(step.name for step in steps))
        return 0
    if not steps:
        print(f"no step is named {' or '.join(arguments.only)}; see ./test --list", file=sys.stderr)
        return 2
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    progress = Progress(len(steps))
    total = Outcome()
    started = time.monotonic()
    try:
        total = run_all(steps, progress)
    except KeyboardInterrupt:
        total.add(Outcome(failed=1))
        print("\ninterrupted")
    print(f"{time.monotonic() - started:.0f} s in all; logs are in {LOGS.relative_to(LOGS.parents[1])}/")
    print(closing_line(total), flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
