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
    def __init__(self, total: int) -> None:
        self.total_ = total
        self.done_ = 0
        self.on_terminal_ = sys.stdout.isatty()
        self.colour_ = self.on_terminal_ and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self.stop_ = threading.Event()
        self.ticker_: threading.Thread | None = None

    def begin(self, name: str) -> None:
        self.started_ = time.monotonic()
        if not self.on_terminal_:
            print(f"[{self.done_ + 1}/{self.total_}] {name} ...", flush=True)
            return
        self.stop_.clear()
        self.ticker_ = threading.Thread(target=self.tick, args=(name,), daemon=True)
        self.ticker_.start()

    def tick(self, name: str) -> None:
        while True:
            width = shutil.get_terminal_size().columns
            line = f"[{self.done_ + 1}/{self.total_}] {name} {time.monotonic() - self.started_:.0f} s"
            print("\r\033[K" + line[: width - 1], end="", flush=True)
            if self.stop_.wait(1):
                return

    def end(self, name: str, outcome: Outcome, log: Path) -> None:
        if self.ticker_:
            self.stop_.set()
            self.ticker_.join()
            print("\r\033[K", end="")
        self.done_ += 1
        seconds = time.monotonic() - self.started_
        verdict = self.paint("31", "FAIL") if outcome.failed else self.paint("32", "ok  ")
        counts = f"{outcome.passed} passed"
        if outcome.failed:
            counts += f", {outcome.failed} failed"
        if outcome.skipped:
            counts += f", {outcome.skipped} skipped"
        print(f"{verdict} {name:<34} {seconds:7.1f} s  {counts}", flush=True)
        for note in outcome.notes:
            print(f"       {note}")
        if outcome.failed:
            self.show_tail(log)

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
