"""One step of ./test: a named thing that runs, takes time, writes a log and counts what passed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

TOP = Path(__file__).resolve().parents[2]
LOGS = TOP / "build" / "test-logs"
CLOSING_LINE = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$", re.MULTILINE)


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.notes += other.notes


@dataclass(frozen=True)
class Step:
    """`run` gets the path of its log, which it appends to, and says what it counted.

    One that waits more than it computes has `beside`: it runs beside others of that kind, so what it listens on is its own.
    """

    name: str
    run: Callable[[Path], Outcome]
    beside: bool = False


# The programs that run now, by whichever lane. Once `_interrupted`, none is begun.
_lock = threading.Lock()
_running: set[subprocess.Popen[bytes]] = set()
_interrupted = False


def interrupt() -> None:
    """Ends what runs, in every lane, and lets nothing more begin: somebody has pressed Ctrl-C."""
    global _interrupted
    with _lock:
        _interrupted = True
        for process in _running:
            kill_group(process)


def begin(command: list[str], out: IO[str], env: dict[str, str] | None, cwd: Path) -> subprocess.Popen[bytes]:
    with _lock:
        if _interrupted:
            raise InterruptedError("interrupted")
        process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                   env={**os.environ, **(env or {})}, start_new_session=True)
        _running.add(process)
        return process


def log_path(name: str) -> Path:
    return LOGS / (re.sub(r"[^\w.-]+", "-", name) + ".log")


def run_program(command: list[str], log: Path, timeout_s: float, env: dict[str, str] | None = None,
                cwd: Path = TOP) -> tuple[int, str]:
    """Runs to the end or the time-out, output appended to the log. Returns the exit status and that output.

    The program leads a process group, which is killed as a whole: a test that hangs leaves no server behind.
    The status of a program stopped by its time-out is -1.
    """
    with log.open("a", encoding="utf-8") as out:
        out.write(f"$ {' '.join(command)}\n")
        out.flush()
        start_of_output = out.tell()
        started = time.monotonic()
        process = begin(command, out, env, cwd)
        try:
            status = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            status = -1
        finally:
            end_group(process)
        if status == -1:
            out.write(f"\nstopped: still running after {timeout_s:.0f} s\n")
        out.write(f"[exit {status}, {time.monotonic() - started:.1f} s]\n")
    with log.open("rb") as written:
        written.seek(start_of_output)
        return status, written.read().decode("utf-8", "replace")


def kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def end_group(process: subprocess.Popen[bytes]) -> None:
    with _lock:
        _running.discard(process)
    kill_group(process)
    process.wait()


def counted_program(command: list[str], log: Path, timeout_s: float, env: dict[str, str] | None = None) -> Outcome:
    """A program that closes with `N passed, N failed`. One that exits well without a count has tested nothing."""
    status, output = run_program(command, log, timeout_s, env)
    counts = CLOSING_LINE.findall(output)
    if not counts:
        what = f"exit status {status}" if status else "no closing line of counts"
        return Outcome(failed=1, notes=[f"{' '.join(command[:3])}: {what}"])
    passed, failed, skipped = (int(text or 0) for text in counts[-1])
    if status != 0 and failed == 0:
        return Outcome(passed, 1, skipped, [f"{command[0]}: exit status {status} though nothing failed"])
    if passed + failed == 0:
        return Outcome(0, 1, skipped, [f"{command[0]}: ran no test"])
    return Outcome(passed, failed, skipped)


def plain_program(command: list[str], log: Path, timeout_s: float, env: dict[str, str] | None = None) -> Outcome:
    """A program whose exit status is its whole verdict."""
    status, _ = run_program(command, log, timeout_s, env)
    return Outcome(passed=1) if status == 0 else Outcome(failed=1, notes=[f"{' '.join(command)}: exit status {status}"])
