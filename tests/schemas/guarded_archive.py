"""Writes a small unsigned archive of a guarded table into a folder, from docs/internals/archive-format.md alone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

ARCHIVE = "00000000000000aa"
TABLE = "00000000000000f1"
INSTANT = "2026-11-22T18:00:00.000000Z"


class GuardedArchive:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pages: dict[str, int] = {}
        self.previous: dict[str, str] = {}
        self.last: dict[str, int] = {}
        self.write(".pawl/archive.json", {"format": "pawl-archive/1", "archive": ARCHIVE, "created": INSTANT})
        self.root({"type": "archive-created"})
        self.root({"type": "table-guarded", "incarnation": TABLE, "table": "points", "arn": "arn:points",
                   "definition": {"partition_key": {"name": "id", "type": "S"}, "template": "{table}/{key}-{version}",
                                  "version_attribute": "_version"}})

    def write(self, name: str, document: dict[str, Any]) -> bytes:
        body = json.dumps(document, separators=(",", ":")).encode() + b"\n"
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return body

    def append(self, chain: str, kind: str, more: dict[str, Any]) -> None:
        page = self.pages.get(chain, 0)
        text = json.dumps({"format": kind, "archive": ARCHIVE, "chain": chain, "page": page,
                           "previous": self.previous.get(chain, "0" * 64), "instant": INSTANT, **more},
                          separators=(",", ":")).encode()
        digest = hashlib.sha256(text).hexdigest()
        volume = self.folder / ".pawl" / "ledger" / chain / "00000000.pages"
        volume.parent.mkdir(parents=True, exist_ok=True)
        with volume.open("ab") as file:
            file.write(digest.encode() + b" - " + text + b"\n")
        self.pages[chain], self.previous[chain] = page + 1, digest

    def root(self, event: dict[str, Any]) -> None:
        self.append("root", "pawl-root/1", {"event": event})

    def open(self, number: int, **more: Any) -> str:
        chain = f"{TABLE}-{number:04x}"
        self.root({"type": "shard-opened", "incarnation": TABLE, "shard": chain, "stream": "arn:stream",
                   "source": f"shardId-{number}", **more})
        return chain

    def change(self, chain: str, source: str, kind: str, old: dict[str, Any] | None, new: dict[str, Any] | None,
               gap: str | None = None) -> None:
        """A page of one change of item A."""
        sequence = self.last[chain] = self.last.get(chain, 0) + 1
        counter = (new or old or {}).get("_version")
        version = int(counter["N"]) if counter else None
        key = {"id": {"S": "A"}}
        name = f"points/A-{source}"
        body = self.write(name, {"format": "pawl-version/2", "table": "points", "incarnation": TABLE, "shard": chain,
                                 "sequence": sequence, "source": source, "key": key, "version": version, "kind": kind,
                                 "instant": INSTANT, "new": new, "old": old})
        entry = {"sequence": sequence, "source": source, "key": key}
        entry |= {} if version is None else {"version": version}
        entry |= {"kind": kind, "instant": INSTANT, "object": name, "size": len(body),
                  "sha256": hashlib.sha256(body).hexdigest()}
        entry |= {} if gap is None else {"gap": gap}
        self.append(chain, "pawl-page/1", {"first": sequence, "last": sequence, "changes": [entry]})

    def repaired(self, after: tuple[str, int], before: tuple[str, int], lost: int, version: int) -> None:
        """A page of the repair chain: one version is lost, the next was put back from the old image of `before`."""
        places = {"key": {"id": {"S": "A"}}, "after": {"shard": after[0], "sequence": after[1]},
                  "before": {"shard": before[0], "sequence": before[1]}}
        own = f"points/A-{version}"
        body = self.write(own + "~repaired", {"format": "pawl-repair/1", "table": "points", "name": own, "version": version,
                                              "source": "old-image", "image": image(version)})
        self.append(f"{TABLE}-0000", "pawl-repair-page/1", {"first": 1, "last": 2, "repairs": [
            {"sequence": 1, **places, "lost": {"from": lost, "to": lost, "since": INSTANT, "until": INSTANT}},
            {"sequence": 2, **places, "version": version, "object": own + "~repaired", "size": len(body),
             "sha256": hashlib.sha256(body).hexdigest(), "repaired": "old-image"}]})

    def rewritten(self, name: str) -> None:
        """A page of the kept chain: the object was written again, and what it held is kept."""
        body = (self.folder / name).read_bytes()
        kept = ".pawl/kept/0000000000000001"
        (self.folder / kept).parent.mkdir(parents=True)
        (self.folder / kept).write_bytes(body)
        successor = b"somebody's"
        (self.folder / name).write_bytes(successor)
        self.append("kept", "pawl-kept/1", {"first": 1, "last": 1, "kept": [
            {"sequence": 1, "object": name, "size": len(body), "sha256": hashlib.sha256(body).hexdigest(), "kept": kept,
             "replaced": INSTANT, "by": {"size": len(successor), "sha256": hashlib.sha256(successor).hexdigest()}}]})


def image(version: int | None) -> dict[str, Any]:
    counter = {} if version is None else {"_version": {"N": str(version)}}
    return {**counter, "id": {"S": "A"}}


def with_gap(folder: Path) -> Path:
    """Versions 1 and 2 of item A, a gap of which 4 was put back and 3 is lost, version 5, and a removal of what has no version any more.
    Version 1's object was written again, and is kept."""
    archive = GuardedArchive(folder)
    chain = archive.open(0x10000)
    archive.change(chain, "9", "INSERT", None, image(1))
    archive.change(chain, "10", "MODIFY", image(1), image(2))
    archive.change(chain, "50", "MODIFY", image(4), image(5), gap="10")
    archive.change(chain, "51", "MODIFY", image(5), image(None))
    archive.change(chain, "52", "REMOVE", image(None), None)
    archive.repaired((chain, 2), (chain, 3), lost=3, version=4)
    archive.rewritten("points/A-9")
    return folder
