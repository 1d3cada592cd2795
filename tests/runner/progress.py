"""What a person sees while ./test runs: one line a finished step, and on a terminal a moving line below."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from pathlib import Path

from step import TOP, Outcome

TAIL_LINES = 30


class Progress:
    """Thread-safe: steps begin and end in any order."""

    def __init__(self, total: int) -> None:
        self.total_ = total
        self.done_ = 0
        self.running_: dict[str, float] = {}  # when each began
        self.on_terminal_ = sys.stdout.isatty()
        self.colour_ = self.on_terminal_ and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self.lock_ = threading.Lock()
        if self.on_terminal_:
            threading.Thread(target=self.tick, daemon=True).start()

    def begin(self, name: str) -> None:
        with self.lock_:
            self.running_[name] = time.monotonic()
            if not self.on_terminal_:
                print(f"[{self.done_ + len(self.running_)}/{self.total_}] {name} ...", flush=True)

    def tick(self) -> None:
        while True:
            time.sleep(1)
            with self.lock_:
                if not self.running_:
                    continue
                now = time.monotonic()
                running = ", ".join(f"{name} {now - began:.0f} s" for name, began in self.running_.items())
                line = f"[{self.done_}/{self.total_}] {running}"
                width = shutil.get_terminal_size().columns
                print("\r\033[K" + line[: width - 1], end="", flush=True)

    def end(self, name: str, outcome: Outcome, log: Path) -> None:
        with self.lock_:
            if self.on_terminal_:
                print("\r\033[K", end="")
            self.done_ += 1
            self.tell(name, time.monotonic() - self.running_.pop(name), outcome)
            if outcome.failed:
                self.show_tail(log)

    def tell(self, name: str, seconds: float, outcome: Outcome) -> None:
        verdict = self.paint("31", "FAIL") if outcome.failed else self.paint("32", "ok  ")
        counts = f"{outcome.passed} passed"
        if outcome.failed:
            counts += f", {outcome.failed} failed"
        if outcome.skipped:
            counts += f", {outcome.skipped} skipped"
        print(f"{verdict} {name:<34} {seconds:7.1f} s  {counts}", flush=True)
        for note in outcome.notes:
            print(f"       {note}")

    def show_tail(self, log: Path) -> None:
        if not log.is_file():
            return
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        print(f"  --- the end of {log.relative_to(TOP)}")
        for line in lines:
            print(f"  | {line[:300]}")
        print("  ---", flush=True)

    def paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colour_ else text
