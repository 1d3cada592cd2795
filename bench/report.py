"""Turns rows into a table for people, JSON for programs and markdown for docs/performance.md. Ratios come first."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import subprocess
from pathlib import Path

from rows import Measured, Row


def machine() -> dict[str, str]:
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    filesystem = subprocess.run(["stat", "-f", "-c", "%T", "."], capture_output=True, text=True).stdout.strip()
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    return {"cpu": f"{os.cpu_count()} × {cpu}", "memory": f"{memory_gib:.0f} GiB", "kernel": platform.release(),
            "filesystem": filesystem, "load at start": f"{os.getloadavg()[0]:.2f}", "commit": commit}


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def details(measured: Measured) -> str:
    text = ", ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in measured.details.items())
    return text + (f", {measured.errors} ERRORS" if measured.errors else "")


def ratio(row: Row, measured: Measured) -> str:
    ours = row.measured[row.ours]
    if measured is ours or not measured.value:
        return ""
    return f"{ours.value / measured.value:.1f} ×"


def lines(row: Row) -> list[tuple[str, str, str, str]]:
    """(ratio of ours to it, system, figure, details), ours first."""
    return [(ratio(row, it), it.system, f"{number(it.value)} {it.unit}", details(it)) for it in row.measured]


def show(row: Row) -> None:
    print(f"\n{row.name}: {row.work}")
    if row.must:
        print(f"  must: {row.must}; aim: {row.aim}")
    for columns in lines(row):
        print("  {:>8}  {:<26} {:>18}  {}".format(*columns), flush=True)


def markdown(rows: list[Row], about: dict[str, str]) -> str:
    out = ["Machine: " + "; ".join(f"{name} {value}" for name, value in about.items()) + ".", ""]
    for row in rows:
        goal = f" (must {row.must}; aim {row.aim})" if row.must else ""
        out += [f"**{row.work}**{goal}", "", "| ours is | system | median | |", "|---:|---|---:|---|"]
        out += ["| " + " | ".join(columns) + " |" for columns in lines(row)] + [""]
    return "\n".join(out)


def write(rows: list[Row], about: dict[str, str], folder: Path) -> None:
    document = {"format": "pawl-bench/1", "machine": about, "rows": [dataclasses.asdict(row) for row in rows]}
    (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / "results.md").write_text(markdown(rows, about))
