"""Watches the ledger files of a directory archive grow, from outside the server (docs/internals/archive-format.md).

Only the lines are read; what they prove is `pawl verify`'s business.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.0005


@dataclass(frozen=True)
class SeenPage:
    chain: str
    page: int
    last: int
    seen_ns: int  # CLOCK_REALTIME, when the whole line could be read
    line: bytes


class LedgerWatch:
    """A thread that polls `ARCHIVE/.pawl/ledger/<shard>/*.pages`; `pages` is complete after stop()."""

    def __init__(self, archive: Path) -> None:
        self.ledger_ = archive / ".pawl" / "ledger"
        self.offsets_: dict[Path, int] = {}
        self.stop_ = threading.Event()
        self.pages: list[SeenPage] = []
        self.thread_ = threading.Thread(target=self.run, daemon=True)

    def start(self) -> LedgerWatch:
        self.thread_.start()
        return self

    def stop(self) -> list[SeenPage]:
        self.stop_.set()
        self.thread_.join()
        return self.pages

    def changes(self) -> int:
        """How many changes the pages seen so far cover."""
        newest: dict[str, int] = {}
        for page in list(self.pages):
            newest[page.chain] = page.last
        return sum(newest.values())

    def run(self) -> None:
        volumes: list[Path] = []
        listed = 0.0
        while not self.stop_.is_set():
            if time.monotonic() - listed > 0.25:
                volumes = [path for path in self.ledger_.glob("*/*.pages") if path.parent.name != "root"]
                listed = time.monotonic()
            for volume in volumes:
                self.read(volume)
            time.sleep(POLL_S)

    def read(self, volume: Path) -> None:
        offset = self.offsets_.get(volume, 0)
        if volume.stat().st_size <= offset:
            return
        with volume.open("rb") as file:
            file.seek(offset)
            text = file.read()
        seen_ns = time.time_ns()
        whole = text.rfind(b"\n") + 1
        self.offsets_[volume] = offset + whole
        for line in text[:whole].splitlines():
            # `first`, `last` and `page` stand before the changes: enough here without parsing the whole page.
            head = line.split(b" ", 2)[2].split(b',"changes":', 1)[0] + b"}"
            fields = json.loads(head)
            self.pages.append(SeenPage(fields["chain"], fields["page"], fields["last"], seen_ns, line))


def changes_of(page: SeenPage) -> list[dict[str, object]]:
    return json.loads(page.line.split(b" ", 2)[2])["changes"]
