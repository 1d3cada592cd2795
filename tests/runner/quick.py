"""The steps of a plain ./test: unit tests, simulation, and the program itself with real clients."""

from __future__ import annotations

from pathlib import Path

import unit
from step import TOP, Outcome, Step, counted_program

BUILD = TOP / "build"


def python(script: str, *arguments: str) -> list[str]:
    # Debian's interpreter: the clients under test are Debian's boto3 and botocore.
    return ["/usr/bin/python3", str(TOP / "tests" / script), *arguments]


def unit_tests(log: Path) -> Outcome:
    outcome = unit.run_all(BUILD, unit.declared(), log, timeout_s=600)
    if outcome.passed + outcome.failed == 0:
        outcome.add(Outcome(failed=1, notes=["no unit test ran"]))
    return outcome


def quick_steps() -> list[Step]:
    return [
        Step("layering", lambda log: counted_program(python("layering/check.py"), log, 60)),
        Step("layering: the check itself", lambda log: counted_program(python("layering/check_test.py"), log, 60)),
        Step("unit tests", unit_tests),
    ]
