"""Unit tests: every GoogleTest executable of a build directory, two at a time."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from step import LOGS, TOP, Outcome, run_program

# What the sanitizers are told. detect_leaks stays on; a race or an error ends the test at once.
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": f"halt_on_error=1:second_deadlock_stack=1:suppressions={TOP / 'tests/runner/tsan_suppressions.txt'}",
}
BEGUN = re.compile(r"^\[ RUN      \] (\S+)", re.MULTILINE)


def declared() -> list[str]:
    """The folders that have tests in the tree: each must have given an executable."""
    return sorted({path.parent.name for path in (TOP / "src").glob("*/*_test.cc")})


def run_one(executable: Path, log: Path, timeout_s: float, env: dict[str, str], arguments: list[str]) -> Outcome:
    if not executable.is_file():
        return Outcome(failed=1, notes=[f"{executable.name} was not built"])
    own_log = log.with_name(f"{log.stem}-{executable.name}.log")
    report = LOGS / f"{executable.parent.name}-{executable.name}.json"
    own_log.unlink(missing_ok=True)
    report.unlink(missing_ok=True)
    status, output = run_program([str(executable), f"--gtest_output=json:{report}", *arguments], own_log, timeout_s, env)
    try:
        suites = json.loads(report.read_text())["testsuites"]
    except (OSError, ValueError):
        how = f"did not end in {timeout_s:.0f} s" if status == -1 else f"ended with status {status}"
        test = BEGUN.findall(output)[-1:] or ["no test"]
        note = f"{executable.name}: {how} in {test[0]}; see {own_log.relative_to(TOP)}"
        return Outcome(failed=1, notes=[note])
    outcome = Outcome()
    for suite in suites:
        for test in suite["testsuite"]:
            if test.get("failures"):
                outcome.failed += 1
                outcome.notes.append(f"{suite['name']}.{test['name']} failed; see {own_log.relative_to(TOP)}")
            elif test.get("result") == "SKIPPED":
                outcome.skipped += 1
            elif test.get("status") == "RUN":
                outcome.passed += 1
    if status != 0 and not outcome.failed:
        outcome.failed = 1
        outcome.notes.append(f"{executable.name}: exit status {status}; see {own_log.relative_to(TOP)}")
    return outcome


def run_all(build_dir: Path, folders: list[str], log: Path, timeout_s: float, env: dict[str, str] | None = None,
            arguments: list[str] | None = None) -> Outcome:
    total = Outcome()
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        runs = [pool.submit(run_one, build_dir / f"{folder}_test", log, timeout_s, env or {}, arguments or [])
                for folder in folders]
    with log.open("a", encoding="utf-8") as out:
        for folder, run in zip(folders, runs):
            outcome = run.result()
            out.write(f"{folder}: {outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped\n")
            out.writelines(f"  {note}\n" for note in outcome.notes)
            total.add(outcome)
    return total
