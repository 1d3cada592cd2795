"""The steps of a plain ./test: unit tests, simulation, and the program itself with real clients."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import unit
from step import TOP, Outcome, Step, counted_program, run_program

BUILD = TOP / "build"
PAWL = BUILD / "pawl"


def python(script: str, *arguments: str) -> list[str]:
    # Debian's interpreter: the clients under test are Debian's boto3 and botocore.
    return ["/usr/bin/python3", str(TOP / "tests" / script), *arguments]


def unit_tests(log: Path) -> Outcome:
    outcome = unit.run_all(BUILD, unit.declared(), log, timeout_s=1200)
    if outcome.passed + outcome.failed == 0:
        outcome.add(Outcome(failed=1, notes=["no unit test ran"]))
    return outcome


# Each suite's own, since suites run beside each other; below what the kernel gives to clients (32768).
PORTS_OF_A_SUITE = 200
_ports = itertools.count(8100, PORTS_OF_A_SUITE)


def against_pawl(script: str, timeout_s: float, *arguments: str) -> Callable[[Path], Outcome]:
    """A black-box suite, which starts the built program itself and closes with its counts."""
    command = python(script, "--pawl", str(PAWL), "--ports", str(next(_ports)), *arguments)
    return lambda log: counted_program(command, log, timeout_s)


def differential(operations: int, timeout_s: float) -> Callable[[Path], Outcome]:
    """Its verdict is the exit status (at least 99 % agreement, equal streams); its figures become the note."""

    command = python("oracle/differential.py", "--pawl", str(PAWL), "--ports", str(next(_ports)), "--operations", str(operations))

    def run(log: Path) -> Outcome:
        status, output = run_program(command, log, timeout_s)
        agreement = [line for line in output.splitlines() if line.startswith(("agreement:", "streams:"))]
        if status == 0 and len(agreement) == 2:
            return Outcome(passed=1, notes=agreement)
        return Outcome(failed=1, notes=agreement or [f"exit status {status}"])

    return run


def quick_steps(everything: bool) -> list[Step]:
    """With `everything`, the crash test and the oracle are the long ones instead."""
    kills, operations = (20, 20_000) if everything else (5, 4_000)
    steps = [
        Step("layering", lambda log: counted_program(python("layering/check.py"), log, 300)),
        Step("layering: the check itself", lambda log: counted_program(python("layering/check_test.py"), log, 300)),
        Step("documents", lambda log: counted_program(python("docs/check.py"), log, 300)),
        Step("unit tests and simulation", unit_tests),
    ]
    # The longest first, so that none is left alone at the end.
    beside = {
        "guard": against_pawl("guard/run.py", 1800),
        f"oracle, {operations:,} operations": differential(operations, 1800),
        "functions": against_pawl("functions/run.py", 900),
        "event source mappings": against_pawl("mappings/run.py", 900),
        "supervised functions": against_pawl("supervised/run.py", 900),
        "examples": against_pawl("examples/run.py", 1200),
        "archive in a bucket": against_pawl("s3/run.py", 900),
        "buckets: S3 clients": against_pawl("bucket/run.py", 900),
        "queues": against_pawl("queue/run.py", 1200),
        "DynamoDB Local: stream, table, leases": against_pawl("dynamodb/run.py", 900),
        "clients": against_pawl("clients/run.py", 1200),
        "recovery": against_pawl("recovery/run.py", 900),
        "schemas": against_pawl("schemas/check.py", 900),
        "hostile input": against_pawl("hostile/run.py", 1200),
        "scripted AWS: its rules": against_pawl("scripted/test_scripted_server.py", 900),
        f"crash, {kills} kills": against_pawl("crash/crash_test.py", 120 * kills, "--kills", str(kills)),
        "full disk": against_pawl("disk/run.py", 1200),
    }
    return steps + [Step(name, run, beside=True) for name, run in beside.items()]
