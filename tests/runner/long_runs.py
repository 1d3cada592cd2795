"""What ./test --all adds: the same unit tests under sanitizers, fuzzing, and the long runs."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import unit
from quick import python
from step import TOP, Outcome, Step, counted_program, run_program

# Folders whose tests have threads (most may have none: tests/layering). server's has them all at once, over every stage.
CONCURRENT_FOLDERS = {"adapter", "server", "trigger", "wire"}
# It kills processes of one thread each: nothing for ThreadSanitizer to see, and minutes of reading objects back.
NOT_CONCURRENT = "DirectoryCrash.*"
FUZZ_SECONDS = 20
BUILD_S = 2400
TESTS_S = 1200


def sanitizer_build(preset: str, targets: list[str], log: Path) -> Outcome:
    """Configures and builds; a failure here is counted once and its log shown. Notes how long it took: most of the step."""
    build_dir = TOP / f"build-{preset}"
    started = time.monotonic()
    for command in (["cmake", "--preset", preset], ["ninja", "-C", str(build_dir), *targets]):
        status, _ = run_program(command, log, BUILD_S)
        if status != 0:
            return Outcome(failed=1, notes=[f"{' '.join(command[:3])}: exit status {status}"])
    return Outcome(notes=[f"of which the build took {time.monotonic() - started:.0f} s"])


def sanitized_tests(preset: str, folders: list[str], log: Path, arguments: list[str] | None = None) -> Outcome:
    total = sanitizer_build(preset, [f"{folder}_test" for folder in folders], log)
    if not total.failed:
        total.add(unit.run_all(TOP / f"build-{preset}", folders, log, timeout_s=TESTS_S, env=unit.SANITIZER_ENV,
                               arguments=arguments))
    return total


def address_sanitizer(log: Path) -> Outcome:
    return sanitized_tests("asan", unit.declared(), log)


def thread_sanitizer(log: Path) -> Outcome:
    return sanitized_tests("tsan", sorted(CONCURRENT_FOLDERS), log, [f"--gtest_filter=-{NOT_CONCURRENT}"])


def fuzz_one(target: str, log: Path) -> Outcome:
    own_log = log.with_name(f"{log.stem}-{target}.log")
    own_log.unlink(missing_ok=True)
    corpus = TOP / "build-asan" / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    findings = TOP / "build-asan" / "findings" / target
    findings.mkdir(parents=True, exist_ok=True)
    status, output = run_program(
        [str(TOP / "build-asan" / target), f"-max_total_time={FUZZ_SECONDS}", "-timeout=20", "-rss_limit_mb=2048",
         f"-artifact_prefix={findings}/", "-print_final_stats=1", str(corpus)],
        own_log, FUZZ_SECONDS + 120, unit.SANITIZER_ENV)
    if status == 0 and "stat::number_of_executed_units" in output:
        return Outcome(passed=1)
    return Outcome(failed=1, notes=[f"{target}: exit status {status}; see {own_log.relative_to(TOP)}, input in {findings}"])


def fuzzing(log: Path) -> Outcome:
    targets = sorted({path.stem for path in (TOP / "src").glob("*/*_fuzz.cc")})
    if not targets:
        return Outcome(failed=1, notes=["no fuzz target is in the tree"])
    total = sanitizer_build("asan", targets, log)
    if total.failed:
        return total
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        for outcome in pool.map(lambda target: fuzz_one(target, log), targets):
            total.add(outcome)
    return total


def more_seeds(log: Path) -> Outcome:
    """The simulations again, on seeds that the unit tests don't run, for a minute of processor time each at least."""
    seeds = {"PAWL_SEED_FIRST": "1000000", "PAWL_SEED_SECONDS": "60"}
    runs = [("drill", seeds, []), ("guard", {**seeds, "PAWL_SEEDS": "20000"}, ["--gtest_filter=GuardSimulation.*"])]
    total = Outcome()
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        for outcome in pool.map(lambda run: unit.run_one(TOP / "build" / f"{run[0]}_test", log, 900, run[1], run[2]), runs):
            total.add(outcome)
    return total


def long_steps() -> list[Step]:
    return [
        Step("simulation, other seeds", more_seeds),
        Step("unit tests, address + undefined", address_sanitizer),
        Step("concurrency tests, thread", thread_sanitizer),
        Step(f"fuzzing, {FUZZ_SECONDS} s each", fuzzing),
        Step("oracle: lies are found", lambda log: counted_program(python("oracle/self_test.py"), log, 900)),
    ]
